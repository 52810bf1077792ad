import { LINK } from "../file/packet.ts";

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** Tags of virtual networks, of which frames may carry several. */
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8, 0x9100];

/**
 * Where the IP packet begins in a captured packet.
 *
 * @returns -1 if the packet carries something else than IP, or its link type is not understood.
 */
export function ipStart(linkType: number, data: Uint8Array): number {
  switch (linkType) {
    case LINK.ethernet:
      return behindEthertype(data, 12);
    case LINK.linuxCooked:
      return behindEthertype(data, 14);
    case LINK.linuxCooked2:
      return isIp(word(data, 0)) ? 20 : -1;
    // Four bytes of address family, whose numbers differ from system to system.
    case LINK.null:
    case LINK.loop:
      return 4;
    case LINK.raw:
    case LINK.bsdRaw:
    case LINK.openBsdRaw:
    case LINK.ipv4:
    case LINK.ipv6:
      return 0;
    default:
      return -1;
  }
}

/** Whether a link type is understood. */
export function isKnownLink(linkType: number): boolean {
  return Object.values(LINK).includes(linkType as never);
}

function behindEthertype(data: Uint8Array, start: number): number {
  let at = start;
  let type = word(data, at);
  while (VLAN_TAGS.includes(type)) {
    at += 4;
    type = word(data, at);
  }
  return isIp(type) ? at + 2 : -1;
}

const isIp = (ethertype: number) => ethertype === ETHERTYPE_IPV4 || ethertype === ETHERTYPE_IPV6;

function word(data: Uint8Array, at: number): number {
  return at + 1 < data.length ? (data[at]! << 8) | data[at + 1]! : -1;
}
