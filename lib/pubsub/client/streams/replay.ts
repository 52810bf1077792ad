import { checkGiven, checkOptions, type OptionKinds } from "../../../base/option_kinds.ts";
import { guard } from "../../../base/report.ts";
import type { FrameHeader } from "../../../frame/mod.ts";
import type { MessageFrame, Responder } from "../receiving/message.ts";
import type { TellError } from "../tell_error.ts";
import { ReadingQueue } from "./reading_queue.ts";
import { checkFrom, startFields } from "./stream_fields.ts";
import { type DeliveryFields, placeOf, StreamMessage } from "./stream_message.ts";
import type { StreamReading, StreamReadings } from "./stream_readings.ts";
import type { ReplayOptions } from "./stream_types.ts";

/** With more than this, the broker is asked to pause; with a quarter of it, to go on. */
const MAX_BYTES = 4_194_304;

const KINDS: OptionKinds<ReplayOptions> = {
  filter: "text",
  live: "flag",
  onCaughtUp: "function",
  onMissed: "function",
};

/**
 * Reads a stream: what is kept, then what comes, without a gap or a double, also over a lost
 * connection. It reads on as the program takes messages. Breaking out of the loop ends it.
 */
export class Replay implements AsyncIterableIterator<StreamMessage> {
  readonly #stream: string;
  readonly #options: ReplayOptions;
  readonly #readings: StreamReadings;
  readonly #responder: Responder;
  readonly #tellError: TellError;
  readonly #queue = new ReadingQueue<StreamMessage>();
  readonly #reading: StreamReading = {
    request: () => this.#request(),
    confirmed: ({ seq }) => this.#next ??= this.#isLastPhase ? 1 : seq as number,
    received: (frame, fields) => this.#received(frame, fields),
    told: (header) => this.#told(header),
    disconnected: () => {},
    ended: (error) => this.#end(error),
    stop: () => this.stop(),
  };
  /** The number of the next message that is wanted, once it is known. */
  #next: number | undefined;
  /** Whether only the last message of each topic is still read. */
  #isLastPhase: boolean;
  #isCaughtUp = false;
  #isStarted = false;
  #isPaused = false;
  #isOver = false;

  /** Begins when the first message is asked for. @throws {TypeError} if an option is a wrong one. */
  constructor(
    stream: string,
    options: ReplayOptions,
    readings: StreamReadings,
    responder: Responder,
    tellError: TellError,
  ) {
    checkGiven("stream", stream, "text");
    checkOptions(options, KINDS);
    if (options.from !== undefined) checkFrom(options.from);
    this.#stream = stream;
    this.#options = options;
    this.#readings = readings;
    this.#responder = responder;
    this.#tellError = tellError;
    this.#isLastPhase = options.from === "last";
  }

  /** Whether the broker has agreed to it, on this connection or one before. */
  get begun(): boolean {
    return this.#next !== undefined;
  }

  /** The next message; done when it ended, or all was read and `live` is false. */
  next(): Promise<IteratorResult<StreamMessage, undefined>> {
    if (!this.#isStarted || this.#isPaused && this.#queue.bytes < MAX_BYTES / 4) {
      this.#isStarted = true;
      this.#isPaused = false;
      if (!this.#isOver) {
        this.#readings.start(this.#reading).catch((error) => this.#end(error));
      }
    }
    return this.#queue.next();
  }

  /** Ends it: what waits is dropped. */
  async return(): Promise<IteratorResult<StreamMessage, undefined>> {
    this.#queue.clear();
    await this.stop();
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends it; what came before can still be taken. */
  async stop(): Promise<void> {
    this.#end(undefined);
    await this.#readings.end(this.#reading);
  }

  #request(): ReturnType<StreamReading["request"]> {
    const { filter, from = "all" } = this.#options;
    const isBegun = this.#next !== undefined && !this.#isLastPhase;
    const start = isBegun ? { "from-seq": this.#next } : startFields(from);
    return { op: "sub", fields: { stream: this.#stream, topic: filter, runs: true, ...start } };
  }

  #received(frame: MessageFrame, fields: DeliveryFields): void {
    const seq = placeOf(fields.seq);
    // On a later connection those come again that are still the last of their topics.
    if (this.#isLastPhase && seq < (this.#next ?? 0)) return;
    this.#next = seq + 1;
    this.#queue.push(new StreamMessage(frame, fields, this.#responder), frame.buffer);
    if (this.#queue.bytes < MAX_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    void this.#readings.end(this.#reading);
  }

  #told(header: FrameHeader): void {
    const { op, count, seq } = header as { op?: unknown; count?: unknown; seq?: unknown };
    const { onMissed, onCaughtUp } = this.#options;
    if (op === "missed") this.#call("onMissed", () => onMissed?.(Number(count)));
    else if (op === "caught-up") {
      this.#isLastPhase = false;
      this.#next = Number(seq) + 1;
      if (this.#isCaughtUp) return;
      this.#isCaughtUp = true;
      this.#call("onCaughtUp", () => onCaughtUp?.(Number(seq)));
      if (this.#options.live === false) void this.stop();
    }
  }

  #call(name: string, call: () => unknown): void {
    guard(`The callback ${name} of ${this.#stream} failed`, call, this.#tellError);
  }

  #end(error: unknown): void {
    this.#isOver = true;
    this.#queue.end(error);
  }
}
