import type { Address } from "../../net/mod.ts";
import type { PacketEndpoint } from "../packet/tcp_writer.ts";

const LOOPBACK = new Uint8Array([127, 0, 0, 1]);

/** Both ends of a connection as packets have them. */
export interface PacketEnds {
  readonly client: PacketEndpoint;
  readonly server: PacketEndpoint;
  /** What packets cannot say: the path of a Unix socket. */
  readonly comment: string | undefined;
}

/** Ports that clients of Unix sockets get in recordings, which are none. */
const FIRST_MADE_UP_PORT = 49_152;
const MADE_UP_PORTS = 16_384;

/**
 * The ends of a connection in packets. Those of a Unix socket are made up, on the loopback address;
 * where one address has no IP address, as a host name, both are.
 *
 * @param number The connection's number, by which made-up ports differ.
 */
export function packetEnds(client: Address, server: Address, number: number): PacketEnds {
  const from = endOf(client);
  const to = endOf(server);
  if (from && to) {
    const isIpv6 = from.host.length === 16 || to.host.length === 16;
    return {
      client: isIpv6 ? widened(from) : from,
      server: isIpv6 ? widened(to) : to,
      comment: undefined,
    };
  }
  // A client's socket has no path, as a rule.
  const unix = [server, client].find((end) => end.transport === "unix" && end.path !== "");
  return {
    client: from?.host.length === 4
      ? from
      : { host: LOOPBACK, port: FIRST_MADE_UP_PORT + number % MADE_UP_PORTS },
    server: to?.host.length === 4 ? to : { host: LOOPBACK, port: 1 },
    comment: unix?.transport === "unix" ? `unix:${unix.path.replace("\0", "@")}` : undefined,
  };
}

function endOf(address: Address): PacketEndpoint | undefined {
  if (address.transport === "unix") return undefined;
  const host = hostBytes(address.hostname);
  return host && { host, port: address.port };
}

/** An IPv4 address in the form that IPv6 has for it. */
function widened({ host, port }: PacketEndpoint): PacketEndpoint {
  if (host.length === 16) return { host, port };
  const wide = new Uint8Array(16);
  wide.set([0xff, 0xff], 10);
  wide.set(host, 12);
  return { host: wide, port };
}

function hostBytes(hostname: string): Uint8Array | undefined {
  if (/^\d+(\.\d+){3}$/.test(hostname)) return new Uint8Array(hostname.split(".").map(Number));
  const text = hostname.replace(/%.*$/, "");
  if (!text.includes(":") || !URL.canParse(`tcp://[${text}]`)) return undefined;
  const [left = "", right] = withoutDots(text).split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right ? right.split(":") : [];
  const zeros = Array(8 - head.length - tail.length).fill("0");
  const groups = right === undefined ? head : [...head, ...zeros, ...tail];
  return new Uint8Array(groups.flatMap((group) => {
    const word = parseInt(group, 16);
    return [word >> 8, word & 255];
  }));
}

/** `::ffff:127.0.0.1` with groups in the place of the IPv4 address. */
function withoutDots(text: string): string {
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
}
