import { formatAddress, parseAddress, type TcpAddress } from "../../../../net/mod.ts";

/** Servers that a cluster has told of; more are not remembered. */
const MAX_TOLD = 256;

const DEFAULT_PORT = 4_222;

/** A server of a cluster. */
export interface PooledServer {
  readonly address: TcpAddress;
  /** As `HOST:PORT`. */
  readonly text: string;
  /** Whether the cluster has told of it. */
  readonly isTold: boolean;
}

/**
 * The servers of a cluster: those that were given, in their order, then those that a server has told
 * of. They are tried in turn.
 */
export class ServerPool {
  readonly #given: readonly PooledServer[];
  #told: readonly PooledServer[] = [];
  #current: PooledServer | undefined;

  /** @param hosts As `HOST:PORT`; at least one. */
  constructor(hosts: readonly string[]) {
    this.#given = hosts.map((text) => serverOf(text, false)!);
  }

  /** The server that was connected to last, as `HOST:PORT`; empty before. */
  get current(): string {
    return this.#current?.text ?? "";
  }

  /** All servers, beginning behind the one that was connected to last. */
  inTurn(): readonly PooledServer[] {
    const all = [...this.#given, ...this.#told];
    const next = all.findIndex(({ text }) => text === this.#current?.text) + 1;
    return [...all.slice(next), ...all.slice(0, next)];
  }

  /** Notes which one is connected to, and what that has told of its cluster. */
  connected(server: PooledServer, connectUrls: readonly string[]): void {
    this.#current = server;
    this.learn(connectUrls);
  }

  /** Notes what a server has told of its cluster. What it does not name any more is forgotten. */
  learn(connectUrls: readonly string[]): void {
    if (connectUrls.length === 0) return;
    const known = new Set(this.#given.map(({ text }) => text));
    const told: PooledServer[] = [];
    for (const url of connectUrls.slice(0, MAX_TOLD)) {
      const server = serverOf(url, true);
      if (server === undefined || known.has(server.text)) continue;
      known.add(server.text);
      told.push(server);
    }
    this.#told = told;
  }

  /**
   * The name that the certificate of a server has to have. Of servers that were told of, only the
   * address is known: they have the name of one that was given, if that is a name.
   */
  nameOf({ address: { hostname }, isTold }: PooledServer): string {
    if (!isTold || !isIpAddress(hostname)) return hostname;
    const names = this.#given.map(({ address }) => address.hostname);
    return names.find((name) => !isIpAddress(name)) ?? hostname;
  }
}

function serverOf(text: string, isTold: boolean): PooledServer | undefined {
  try {
    const address = parseAddress(text, { port: DEFAULT_PORT });
    if (address.transport !== "tcp") return undefined;
    return { address, text: formatAddress(address), isTold };
  } catch (error) {
    if (!isTold) throw error;
    // A stranger told of it.
    return undefined;
  }
}

function isIpAddress(hostname: string): boolean {
  return hostname.includes(":") || /^\d+(\.\d+){3}$/.test(hostname);
}
