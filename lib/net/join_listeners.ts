import { checkGiven } from "../base/option_kinds.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import type { Address } from "./address.ts";
import type { Handshakes, Listener } from "./listener.ts";

/**
 * Makes one listener of two, so that one server serves what both accept: a broker, for instance, its
 * TCP clients and those that come over WebSocket. TLS and handshakes are those of the first. The two
 * belong to it: closing it closes both.
 *
 * @param address What it tells as its address. @default {that of the first}
 *
 * @example
 * ```ts
 * import { dial, joinListeners, listen } from "@socktool/socktool/net";
 *
 * const [ipv4, other] = [await listen("127.0.0.1:0"), await listen("127.0.0.1:0")];
 * using both = joinListeners(ipv4, other);
 * using _client = await dial(other.address);
 * (await both.accept()).close();
 * ```
 */
export function joinListeners(first: Listener, second: Listener, address?: Address): Listener {
  for (const listener of [first, second]) {
    checkGiven("listener", listener, "object");
    checkGiven("listener.accept", listener.accept, "function");
  }
  return new JoinedListener(first, second, address);
}

/** What one of the listeners accepted; or why it did not. */
interface Accepted {
  readonly listener: Listener;
  readonly conn?: Deno.Conn;
  readonly cause?: unknown;
}

class JoinedListener implements Listener {
  readonly #first: Listener;
  readonly #second: Listener;
  readonly #address: Address | undefined;
  /** The listeners that were asked and whose connection nobody has taken yet. */
  readonly #asked = new Set<Listener>();
  readonly #ready: Accepted[] = [];
  readonly #waiting: ((accepted: Accepted) => void)[] = [];
  #isClosed = false;

  constructor(first: Listener, second: Listener, address: Address | undefined) {
    this.#first = first;
    this.#second = second;
    this.#address = address;
  }

  get address(): Address {
    return this.#address ?? this.#first.address;
  }

  get secure(): boolean {
    return this.#first.secure;
  }

  get handshakes(): Handshakes | undefined {
    return this.#first.handshakes;
  }

  async accept(): Promise<Deno.Conn> {
    for (const listener of [this.#first, this.#second]) this.#ask(listener);
    // Not a race of promises: that of a listener to which nobody comes would keep what waited for it.
    const { listener, conn, cause } = this.#ready.shift() ??
      await new Promise<Accepted>((resolve) => this.#waiting.push(resolve));
    this.#asked.delete(listener);
    if (this.#waiting.length > 0) this.#ask(listener);
    if (conn === undefined) throw cause;
    return conn;
  }

  close(): void {
    this.#isClosed = true;
    this.#first.close();
    this.#second.close();
    // Nobody waits for these any more.
    for (const { conn } of this.#ready.splice(0)) closeQuietly(conn);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ask(listener: Listener): void {
    if (this.#asked.has(listener)) return;
    this.#asked.add(listener);
    void this.#acceptFrom(listener);
  }

  async #acceptFrom(listener: Listener): Promise<void> {
    let accepted: Accepted;
    try {
      accepted = { listener, conn: await listener.accept() };
    } catch (cause) {
      accepted = { listener, cause };
    }
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(accepted);
    else if (this.#isClosed) closeQuietly(accepted.conn);
    else this.#ready.push(accepted);
  }
}
