import { closeQuietly } from "../base/close_quietly.ts";
import type { Listener } from "./listener.ts";

/**
 * Makes one listener of two, so that one server serves what both accept: a broker, for instance, its
 * TCP clients and those that come over WebSocket. Address, TLS and handshakes are those of the first.
 * The two belong to it: closing it closes both.
 *
 * @example
 * ```ts
 * import { dial, listen } from "@socktool/socktool";
 * import { joinListeners } from "@socktool/socktool/net";
 *
 * const [ipv4, other] = [await listen("127.0.0.1:0"), await listen("127.0.0.1:0")];
 * using both = joinListeners(ipv4, other);
 * using _client = await dial(other.address);
 * (await both.accept()).close();
 * ```
 */
export function joinListeners(first: Listener, second: Listener): Listener {
  const listeners = [first, second];
  /** What was asked of each and has not come. */
  const pending = new Map<Listener, Promise<Accepted>>();
  const close = () => {
    for (const listener of listeners) listener.close();
    // One may have been accepted when nobody waited for it any more.
    for (const accepted of pending.values()) void accepted.then(({ conn }) => closeQuietly(conn));
    pending.clear();
  };
  return {
    get address() {
      return first.address;
    },
    secure: first.secure,
    handshakes: first.handshakes,
    async accept() {
      for (const listener of listeners) {
        if (!pending.has(listener)) pending.set(listener, acceptFrom(listener));
      }
      const accepted = await Promise.race(pending.values());
      pending.delete(accepted.listener);
      if (accepted.conn === undefined) throw accepted.cause;
      return accepted.conn;
    },
    close,
    [Symbol.dispose]: close,
  };
}

interface Accepted {
  readonly listener: Listener;
  readonly conn?: Deno.Conn;
  readonly cause?: unknown;
}

/** Never rejects: nobody may be waiting when it fails. */
async function acceptFrom(listener: Listener): Promise<Accepted> {
  try {
    return { listener, conn: await listener.accept() };
  } catch (cause) {
    return { listener, cause };
  }
}
