import { closeQuietly } from "../base/close_quietly.ts";
import type { Address, Listener } from "../net/mod.ts";

/** Connections that nobody has accepted yet; more are closed. */
const MAX_WAITING = 128;

/** The WebSockets of a web server, as a listener for the server that they are meant for. */
export class WebSocketListener implements Listener {
  /** Where the web server listens. */
  readonly address: Address;
  /** Whether they use TLS. */
  readonly secure: boolean;
  readonly #waiting: Deno.Conn[] = [];
  #accepting: PromiseWithResolvers<Deno.Conn> | undefined;
  #closed = false;

  constructor({ address, secure }: Pick<Listener, "address" | "secure">) {
    this.address = address;
    this.secure = secure;
  }

  /** Whether anybody ever accepts here, and still may. */
  isOpen = false;

  /** Waits for the next one. */
  accept(): Promise<Deno.Conn> {
    if (this.#closed) return Promise.reject(closedError());
    this.isOpen = true;
    const conn = this.#waiting.shift();
    if (conn) return Promise.resolve(conn);
    this.#accepting ??= Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** Gives a connection to whoever accepts it. */
  offer(conn: Deno.Conn): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) return closeQuietly(conn);
    if (this.#accepting) this.#accepting.resolve(conn);
    else this.#waiting.push(conn);
    this.#accepting = undefined;
  }

  /** Takes no more. Those that were accepted stay open. */
  close(): void {
    this.#closed = true;
    this.isOpen = false;
    for (const conn of this.#waiting.splice(0)) closeQuietly(conn);
    this.#accepting?.reject(closedError());
    this.#accepting = undefined;
  }

  /** Takes no more. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
