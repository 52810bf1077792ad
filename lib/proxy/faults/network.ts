import { BlockList, isIP } from "node:net";

/** A network: an IP address, and how many of its bits count. */
export interface Network {
  readonly address: string;
  readonly bits: number;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; `undefined` if it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = "", written] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = written === undefined ? most : Number(written);
  return bits <= most ? { address, bits } : undefined;
}

/** What tells whether an IP address is in one of the networks. */
export function networkTest(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, bits } of networks) {
    list.addSubnet(address, bits, isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
  };
}
