import { closeQuietly } from "../base/close_quietly.ts";
import type { Address, Listener } from "../net/mod.ts";

/** Connections that nobody has accepted yet: as many as the kernel queues of other ones. */
const MAX_WAITING = 4_096;

/** The WebSockets of a web server, as a listener for the server that they are meant for. */
export class WebSocketListener implements Listener {
  /** Where the web server listens. */
  readonly address: Address;
  /** Whether they use TLS. */
  readonly secure: boolean;
  readonly #waiting: Deno.Conn[] = [];
  #accepting: PromiseWithResolvers<Deno.Conn> | undefined;
  #closed = false;
  #isServed = false;

  constructor({ address, secure }: Pick<Listener, "address" | "secure">) {
    this.address = address;
    this.secure = secure;
  }

  /** Whether anybody has ever asked for one. */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** Whether another one will be accepted soon. */
  get hasRoom(): boolean {
    return this.#isServed && !this.#closed && this.#waiting.length < MAX_WAITING;
  }

  /** Waits for the next one. */
  accept(): Promise<Deno.Conn> {
    if (this.#closed) return Promise.reject(closedError());
    this.#isServed = true;
    const conn = this.#waiting.shift();
    if (conn) return Promise.resolve(conn);
    this.#accepting ??= Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** Gives a connection to whoever accepts it. */
  offer(conn: Deno.Conn): void {
    if (this.#closed) return closeQuietly(conn);
    if (this.#accepting) this.#accepting.resolve(conn);
    else this.#waiting.push(conn);
    this.#accepting = undefined;
  }

  /** Takes no more. Those that were accepted stay open. */
  close(): void {
    this.#closed = true;
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
