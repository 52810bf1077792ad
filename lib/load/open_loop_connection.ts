import type { LoadConnection } from "./load_connection.ts";
import type { LoadError } from "./load_error.ts";
import type { Payload } from "./payload.ts";
import { TimeQueue } from "./time_queue.ts";

/** Whom a connection of an open loop tells. */
export interface OpenLoopRecorder {
  /** Notes a message that came back at `now`. Times are those of `performance.now()`. */
  answered(bytes: number, dueAt: number, sentAt: number, now: number): void;
}

/** A connection of an open loop: what is due goes out at once, whether or not the last came back. */
export class OpenLoopConnection {
  /** Resolves when it has ended, to the error if it failed. Never rejects. */
  readonly finished: Promise<LoadError | undefined>;
  /** Whether it failed: it takes no messages any more. */
  failed = false;
  readonly #connection: LoadConnection;
  readonly #payload: Payload;
  readonly #recorder: OpenLoopRecorder;
  /** When the messages were due that are not answered, and when those of them that are sent were. */
  readonly #due = new TimeQueue();
  readonly #sent = new TimeQueue();
  #sentCount = 0;
  #answeredCount = 0;
  /** Where in the stream that comes back the next message begins. */
  #nextAt = 0;
  #writing = false;
  #ending = false;

  /** Begins to read. */
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

  /** Sends what was added, unless a write is under way: that goes on with it. */
  flush(): void {
    if (!this.#writing) void this.#send();
  }

  /** Closes it, because nothing more is to come. */
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
      // The read fails as well, and says why.
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

  /** Notes the messages that have come back whole. */
  #take(): void {
    const { receivedBytes } = this.#connection;
    let now = 0;
    while (this.#sent.length > 0) {
      const length = this.#payload.lengthOf(this.#answeredCount);
      if (receivedBytes < this.#nextAt + length) break;
      now ||= performance.now();
      this.#recorder.answered(length, this.#due.shift(), this.#sent.shift(), now);
      this.#answeredCount++;
      this.#nextAt += length;
    }
    this.#connection.awaiting = this.#due.length > 0;
  }
}
