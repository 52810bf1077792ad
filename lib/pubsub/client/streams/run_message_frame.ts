import type { Frame } from "../../../frame/frame.ts";
import { FrameDecoder } from "../../../frame/frame_decoder.ts";
import type { FrameHeader } from "../../../frame/header.ts";
import { runEnds, type RunPlace } from "../../protocol/run_frame.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { MessageFrame } from "../receiving/message.ts";
import type { DeliveryFields } from "./stream_message.ts";

/**
 * A message of a run: its header is read when somebody asks for it, and its own number and that of its
 * delivery are known without.
 */
export class RunMessageFrame implements MessageFrame, DeliveryFields {
  readonly #run: RunPlace;
  readonly #index: number;
  #buffer: Uint8Array;
  #start: number;
  #end: number;
  #frame: Frame | undefined;
  #header: FrameHeader | undefined;

  /** The message with this index of a run is `buffer[start, end)`. */
  constructor(run: RunPlace, index: number, buffer: Uint8Array, start: number, end: number) {
    this.#run = run;
    this.#index = index;
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
  }

  get stream(): string {
    return this.#run.stream;
  }

  get seq(): number {
    return this.#run.seq + this.#index;
  }

  get time(): number {
    return this.#run.time;
  }

  get consumer(): string | undefined {
    return this.#run.consumer;
  }

  get delivery(): number {
    return this.#run.delivery! + this.#index;
  }

  get attempt(): number | undefined {
    return this.#run.attempt;
  }

  get buffer(): Uint8Array {
    return this.#buffer;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  get content(): Uint8Array {
    const buffer = this.#buffer;
    const start = this.#start;
    const contentStart = start + 2 + ((buffer[start]! << 8) | buffer[start + 1]!);
    return buffer.subarray(contentStart, this.#end);
  }

  /** The publisher's header with the fields that the broker adds to a message which comes by itself. */
  get header(): FrameHeader {
    return this.#header ??= this.#makeHeader();
  }

  text(): string {
    return this.#decoded().text();
  }

  json(): unknown {
    return this.#decoded().json();
  }

  detach(): this {
    this.#buffer = new Uint8Array(this.bytes);
    this.#end -= this.#start;
    this.#start = 0;
    // It is a view of the memory that is to be let go.
    this.#frame = undefined;
    return this;
  }

  #makeHeader(): FrameHeader {
    const { sid, stream, consumer, time, delivery, attempt } = this.#run;
    const fields = { sid, stream, time, seq: this.seq };
    const delivered = delivery === undefined
      ? undefined
      : { consumer, attempt, delivery: this.delivery };
    return Object.freeze({ ...this.#decoded().header, ...fields, ...delivered });
  }

  #decoded(): Frame {
    return this.#frame ??= decode(this.#buffer, this.#start, this.#end);
  }
}

/** Publishers repeat their headers but for some fields: the decoder knows them again. */
let decoder = new FrameDecoder({ maxContentBytes: Infinity });

/** @throws {PubSubError} `disconnected` if the frame is broken, which no broker lets pass. */
function decode(buffer: Uint8Array, start: number, end: number): Frame {
  const { frames, consumed, error } = decoder.decode(buffer, start, end);
  if (frames.length === 1 && consumed === end - start) return frames[0]!;
  // It waits for the rest of a frame, or does not go on after an error.
  decoder = new FrameDecoder({ maxContentBytes: Infinity });
  throw brokenRun(error);
}

/** The messages of a run. @throws {PubSubError} `disconnected` if it is none. */
export function messagesOf(run: Frame): RunMessageFrame[] {
  const { header, buffer } = run;
  const found = runEnds(run);
  if (found === undefined) throw brokenRun();
  const place = header as unknown as RunPlace;
  let { start } = found;
  return found.ends.map((end, i) => {
    const message = new RunMessageFrame(place, i, buffer, start, end);
    start = end;
    return message;
  });
}

function brokenRun(cause?: unknown): PubSubError {
  const message = "The broker sent a run of messages that is broken";
  return new PubSubError("disconnected", message, { cause });
}
