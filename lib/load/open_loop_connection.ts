import { Deque } from "../base/deque.ts";
import type { LoadConnection } from "./load_connection.ts";
import type { LoadError } from "./load_error.ts";
import type { Payload } from "./payload.ts";

/** Where a connection of an open loop reports answers. */
export interface OpenLoopRecorder {
  /** Called when a message has come back, at `now`. Times are of `performance.now()`. */
  answered(bytes: number, dueAt: number, sentAt: number, now: number): void;
}

/** A connection of an open loop: sends what is due even if earlier messages have not come back. */
export class OpenLoopConnection {
  /** Resolves when the connection has ended, to its error if it failed. Never rejects. */
  readonly finished: Promise<LoadError | undefined>;
  /** Whether it failed. It then takes no more messages. */
  failed = false;
  readonly #connection: LoadConnection;
  readonly #payload: Payload;
  readonly #recorder: OpenLoopRecorder;
  /** When each message was due that has not come back. */
  readonly #due = new Deque<number>();
  /** When each message was sent that was sent and has not come back. */
  readonly #sent = new Deque<number>();
  #sentCount = 0;
  #answeredCount = 0;
  /** Where the next message begins in the stream of received bytes. */
  #nextAt = 0;
  #writing = false;
  #ending = false;

  /** Takes over the connection, and begins to read. */
  constructor(connection: LoadConnection, payload: Payload, recorder: OpenLoopRecorder) {
    this.#connection = connection;
    this.#payload = payload;
    this.#recorder = recorder;
    this.finished = this.#receive();
  }

  /** Messages that have not come back. */
  get outstanding(): number {
    return this.#due.length;
  }

  /** Adds a message; {@linkcode OpenLoopConnection.flush} sends it. */
  add(dueAt: number): void {
    this.#due.push(dueAt);
    this.#connection.awaiting = true;
  }

  /** Sends what was added. If a write is under way, it is sent after that one. */
  flush(): void {
    if (!this.#writing) void this.#send();
  }

  /** Closes the connection. That its read then fails is no error. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#connection.close();
    await this.finished;
  }

  async #send(): Promise<void> {
    this.#writing = true;
    const payload = this.#payload;
    try {
      let unsent = this.#due.length - this.#sent.length;
      while (unsent > 0) {
        const count = Math.min(unsent, payload.maxBatch);
        const { bytes } = payload.batch(this.#sentCount, count);
        const now = performance.now();
        for (let i = 0; i < count; i++) this.#sent.push(now);
        this.#sentCount += count;
        this.#connection.sentBytes += bytes.length;
        await this.#connection.write(bytes);
        unsent = this.#due.length - this.#sent.length;
      }
    } catch {
      // The read fails too, and that error is the one reported.
      this.#connection.close();
    }
    this.#writing = false;
  }

  async #receive(): Promise<LoadError | undefined> {
    const connection = this.#connection;
    try {
      while (true) {
        connection.received(await connection.read());
        this.#take();
      }
    } catch (cause) {
      if (this.#ending) return undefined;
      this.failed = true;
      connection.close();
      return connection.explain(cause);
    }
  }

  /** Reports the messages that have come back whole. */
  #take(): void {
    const { receivedBytes } = this.#connection;
    let now = 0;
    while (this.#sent.length > 0) {
      const length = this.#payload.lengthOf(this.#answeredCount);
      if (receivedBytes < this.#nextAt + length) break;
      now ||= performance.now();
      this.#recorder.answered(length, this.#due.shift()!, this.#sent.shift()!, now);
      this.#answeredCount++;
      this.#nextAt += length;
    }
    this.#connection.awaiting = this.#due.length > 0;
  }
}
