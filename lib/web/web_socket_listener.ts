import { AcceptQueue } from "../net/accept_queue.ts";
import type { Address, Listener } from "../net/mod.ts";

/** Connections that nobody has accepted yet: as many as the kernel queues of other ones. */
const MAX_WAITING = 4_096;

/** The WebSockets of a web server, as a listener for the server that they are meant for. */
export class WebSocketListener implements Listener {
  /** Where the web server listens. */
  readonly address: Address;
  /** Whether they use TLS. */
  readonly secure: boolean;
  readonly #queue = new AcceptQueue();
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
    return this.#isServed && !this.#queue.isClosed && this.#queue.length < MAX_WAITING;
  }

  /** Waits for the next one. */
  accept(): Promise<Deno.Conn> {
    if (!this.#queue.isClosed) this.#isServed = true;
    return this.#queue.accept();
  }

  /** Gives a connection to whoever accepts it. */
  offer(conn: Deno.Conn): void {
    this.#queue.add(conn);
  }

  /** Takes no more. Those that were accepted stay open. */
  close(): void {
    this.#queue.close();
  }

  /** Takes no more. */
  [Symbol.dispose](): void {
    this.close();
  }
}
