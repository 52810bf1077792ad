import { closeQuietly } from "../../base/close_quietly.ts";
import { type Direction, otherWay } from "../../net/direction.ts";
import type { AnswerList } from "./answer_list.ts";
import { AnswerCheck, type ReplayDifference } from "./answer_check.ts";
import type { ReplaySession } from "./recording.ts";

/** Reads go into memory of this size. */
const READ_BYTES = 65_536;

/** How one side of a connection is played. */
export interface PlayerOptions {
  /** Which side is played: `up` for the client. */
  readonly side: Direction;
  readonly ignored: ReadonlySet<string> | undefined;
  readonly onDifference: (difference: ReplayDifference) => void;
  /** Is called after each piece that came, and at the end. */
  readonly onProgress: () => void;
}

/** Plays one side of a recorded connection on a real one, and looks at what the other side sends. */
export class Player {
  readonly #conn: Deno.Conn;
  readonly #check: AnswerCheck;
  readonly #recorded: AnswerList;
  /** How many bytes of the other side were recorded before the present step. */
  #dueBytes = 0;
  #closed = false;
  readonly #onProgress: () => void;
  readonly #reading: Promise<void>;
  #ended = false;
  #failure: unknown;

  /** Takes over the connection. */
  constructor(conn: Deno.Conn, session: ReplaySession, options: PlayerOptions) {
    this.#conn = conn;
    this.#onProgress = options.onProgress;
    const recorded = session.sent[otherWay(options.side)];
    this.#recorded = recorded;
    const { ignored, onDifference } = options;
    const connection = session.connection.id;
    this.#check = new AnswerCheck({ connection, recorded, ignored, onDifference });
    this.#reading = this.#read();
  }

  /** How many frames came; 0 if it is no stream of frames. */
  get receivedFrames(): number {
    return this.#check.frameCount;
  }

  /** How many bytes came. */
  get receivedBytes(): number {
    return this.#check.byteCount;
  }

  /** Whether the other side has sent as much as it had in the recording before the present step. */
  get isUpToDate(): boolean {
    return this.#check.hasCome(this.#recorded.framesWithin(this.#dueBytes), this.#dueBytes);
  }

  /** Notes that the other side had sent more in the recording. */
  expect(bytes: number): void {
    this.#dueBytes += bytes;
  }

  /** Whether nothing more can come. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Why the connection broke, if it did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Sends bytes, all of them. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /** Ends this side. */
  async end(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /** Closes the connection, and tells what was recorded and did not come. */
  async close(): Promise<void> {
    this.#closed = true;
    closeQuietly(this.#conn);
    await this.#reading;
    this.#check.finish();
  }

  async #read(): Promise<void> {
    const memory = new Uint8Array(READ_BYTES);
    try {
      while (true) {
        const count = await this.#conn.read(memory);
        if (count === null) break;
        await this.#check.add(memory.slice(0, count));
        this.#onProgress();
      }
    } catch (error) {
      // This side has closed it: no failure.
      if (!this.#closed) this.#failure ??= error;
    }
    this.#ended = true;
    this.#onProgress();
  }
}
