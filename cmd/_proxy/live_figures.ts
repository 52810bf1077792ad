import { formatAddress } from "../../lib/net/mod.ts";
import type { Proxy, ProxyObserver } from "../../lib/proxy/mod.ts";
import { describeError } from "../_cli/mod.ts";

/** How many of the last events, and of the youngest open connections, are shown. */
const SHOWN_EVENTS = 100;
const SHOWN_CONNECTIONS = 50;

/** Something that happened, as the live page is told. */
interface LiveEvent {
  /** Which one it is, from 1. */
  readonly number: number;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  readonly connection: number;
  readonly what: string;
  readonly [detail: string]: string | number;
}

/** What the live page of a proxy shows: it counts, and keeps the last events. */
export class LiveFigures {
  /** The last events, in a ring: each takes the place of the one 100 events before it. */
  readonly #events: LiveEvent[] = [];
  #happened = 0;
  #accepted = 0;
  /** Connections that did not end by themselves. */
  #broken = 0;
  #fired = 0;
  /** Bytes of connections that are over. */
  #upBytes = 0;
  #downBytes = 0;

  /** An observer that counts, and tells another one. */
  watch(next: ProxyObserver): ProxyObserver {
    return {
      ...next,
      opened: (connection) => {
        this.#accepted++;
        this.#note(connection.id, "opened", { client: formatAddress(connection.client) });
        next.opened?.(connection);
      },
      closed: (connection, reason, error) => {
        const { id, upBytes, downBytes } = connection;
        this.#upBytes += upBytes;
        this.#downBytes += downBytes;
        if (reason !== "done" && reason !== "drained") this.#broken++;
        const why = error === undefined ? {} : { error: describeError(error) };
        this.#note(id, "closed", { reason, ...why });
        next.closed?.(connection, reason, error);
      },
      fired: (fired) => {
        this.#fired++;
        const { connection, fault, direction, offset } = fired;
        this.#note(connection, "fault", { fault, direction, offset });
        next.fired?.(fired);
      },
      noticed: (connection, direction, notice) => {
        this.#note(connection.id, "notice", { direction, notice });
        next.noticed?.(connection, direction, notice);
      },
    };
  }

  /** All of it, in JSON. */
  of(proxy: Proxy): Readonly<Record<string, unknown>> {
    let [upBytes, downBytes] = [this.#upBytes, this.#downBytes];
    for (const connection of proxy.connections) {
      upBytes += connection.upBytes;
      downBytes += connection.downBytes;
    }
    const now = performance.now();
    const youngest = [...proxy.connections].slice(-SHOWN_CONNECTIONS).reverse();
    return {
      proxy: {
        address: formatAddress(proxy.address),
        upstream: formatAddress(proxy.upstream),
        seed: proxy.seed,
        connections: proxy.connections.size,
        accepted: this.#accepted,
        broken: this.#broken,
        fired: this.#fired,
        upBytes,
        downBytes,
      },
      faults: faultsOf(proxy),
      connections: youngest.map(({ id, client, upBytes, downBytes, openedAt }) => ({
        id,
        client: formatAddress(client),
        upBytes,
        downBytes,
        openMs: Math.round(now - openedAt),
      })),
      events: this.#events.toSorted((one, other) => other.number - one.number),
    };
  }

  #note(
    connection: number,
    what: string,
    details: Readonly<Record<string, string | number>>,
  ): void {
    const place = this.#happened++ % SHOWN_EVENTS;
    this.#events[place] = {
      number: this.#happened,
      at: Date.now(),
      connection,
      what,
      ...details,
    };
  }
}

/** What is set, and what was, with how often each fault did something. */
export function faultsOf(proxy: Proxy): readonly object[] {
  return proxy.reports().map(({ fault, fired, isSet }) => ({ fault, fired, set: isSet }));
}
