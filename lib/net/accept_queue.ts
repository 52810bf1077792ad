import { Deque } from "../base/deque.ts";
import { closeQuietly } from "../base/close_quietly.ts";

/**
 * For a listener that makes its connections itself: the connections that nobody has accepted yet, and
 * the calls of `accept` that wait. Each connection goes to one call; both are served in the order in
 * which they came.
 *
 * @example
 * ```ts ignore
 * const queue = new AcceptQueue();
 * const accepting = queue.accept();
 * queue.add(conn);
 * assertEquals(await accepting, conn);
 * ```
 */
export class AcceptQueue {
  readonly #ready = new Deque<Deno.Conn>();
  readonly #waiting = new Deque<PromiseWithResolvers<Deno.Conn>>();
  /** A failure while no call waited: the next call is told. */
  #failure: { readonly cause: unknown } | undefined;
  #isClosed = false;

  /** How many connections wait to be accepted. */
  get length(): number {
    return this.#ready.length;
  }

  /** Whether a call of `accept` waits. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether it is closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Waits for the next connection. Rejects when the queue is closed, or with the cause of `fail`. */
  accept(): Promise<Deno.Conn> {
    const conn = this.#ready.shift();
    if (conn) return Promise.resolve(conn);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) return Promise.reject(failure.cause);
    if (this.#isClosed) return Promise.reject(closedError());
    const waiting = Promise.withResolvers<Deno.Conn>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Gives a connection to the first call that waits, or to the next one. Closes it after `close`. */
  add(conn: Deno.Conn): void {
    if (this.#isClosed) return closeQuietly(conn);
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(conn);
    else this.#ready.push(conn);
  }

  /** Tells the first call that waits, or the next one, that a connection could not be accepted. */
  fail(cause: unknown): void {
    if (this.#isClosed) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting.reject(cause);
    else this.#failure = { cause };
  }

  /** Closes the connections that nobody has accepted, and rejects the calls that wait. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = undefined;
    for (let conn = this.#ready.shift(); conn; conn = this.#ready.shift()) closeQuietly(conn);
    for (let each = this.#waiting.shift(); each; each = this.#waiting.shift()) {
      each.reject(closedError());
    }
  }
}

/** What `accept` rejects with when its listener is closed. */
export function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
