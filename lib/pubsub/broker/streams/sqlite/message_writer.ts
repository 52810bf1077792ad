import type { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { writeRun } from "../../../protocol/run_frame.ts";
import { writeExtended } from "../../delivery/extended_frame.ts";
import type { RunFrames } from "./run_frames.ts";

/** The fewest neighbours that go out as one frame: with fewer, its header would be larger than theirs. */
const MIN_RUN = 4;

/** Whose messages are written. */
export interface Recipient {
  /** The number that all frames repeat. */
  readonly sid: number;
  readonly stream: string;
  /** The consumer's name, where they are deliveries. */
  readonly consumer: string | undefined;
  /** Whether it takes many messages in one frame. */
  readonly runs: boolean;
}

/** A message where it is kept. */
export interface StoredMessage {
  readonly frames: RunFrames;
  readonly index: number;
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * Writes messages for a reader or a member of a consumer. Neighbours in a row are written as one frame
 * where the recipient takes that: they are copied in one go. Others get frames with further fields.
 */
export class MessageWriter {
  /** How many messages were added. */
  count = 0;
  readonly #out: ByteBuffer;
  readonly #to: Recipient;
  /** The neighbours that are not written yet: `#frames` from the index `#first` to before `#last`. */
  #frames: RunFrames | undefined;
  #first = 0;
  #last = 0;
  #seq = 0;
  #time = 0;
  #delivery = 0;
  #attempt = 0;

  /** Writes to the end of a buffer. */
  constructor(out: ByteBuffer, to: Recipient) {
    this.#out = out;
    this.#to = to;
  }

  /** The bytes that are written, or are to be. */
  get bytes(): number {
    const frames = this.#frames;
    if (frames === undefined) return this.#out.length;
    return this.#out.length + frames.ends[this.#last - 1]! - frames.startOf(this.#first);
  }

  /**
   * Adds the next message.
   *
   * @param delivery The number of the delivery, one more than that of the message before.
   * @param attempt Which delivery of the message this is.
   */
  add(
    frames: RunFrames,
    index: number,
    seq: number,
    time: number,
    delivery = 0,
    attempt = 0,
  ): void {
    this.count++;
    if (frames === this.#frames && index === this.#last && attempt === this.#attempt) {
      this.#last++;
      return;
    }
    this.end();
    this.#frames = frames;
    this.#first = index;
    this.#last = index + 1;
    this.#seq = seq;
    this.#time = time;
    this.#delivery = delivery;
    this.#attempt = attempt;
  }

  /**
   * Adds the next messages, which are neighbours: at least one, and no further one once `bytes` wait.
   *
   * @param index That of the first; all behind it may be added.
   * @returns the index behind the last that was added.
   */
  addUntil(bytes: number, frames: RunFrames, index: number, seq: number, time: number): number {
    this.add(frames, index, seq, time);
    const { ends } = frames;
    const end = frames.startOf(index) + frames.sizeOf(index) + bytes - this.bytes;
    let last = index + 1;
    while (last < ends.length && ends[last - 1]! < end) last++;
    this.count += last - this.#last;
    this.#last = last;
    return last;
  }

  /** Writes what was added and is not written. */
  end(): void {
    const frames = this.#frames;
    if (frames === undefined) return;
    this.#frames = undefined;
    const { sid, stream, consumer, runs } = this.#to;
    const count = this.#last - this.#first;
    if (runs && count >= MIN_RUN) {
      const place = { stream, consumer, seq: this.#seq, time: this.#time };
      const delivered = consumer === undefined
        ? undefined
        : { delivery: this.#delivery, attempt: this.#attempt };
      writeRun(this.#out, { sid, ...place, ...delivered }, frames, this.#first, this.#last);
      return;
    }
    const time = this.#time;
    const head = consumer === undefined
      ? `,"sid":${sid},"stream":"${stream}","time":${time},"seq":`
      : `,"sid":${sid},"stream":"${stream}","consumer":"${consumer}","time":${time},"attempt":${this.#attempt},"seq":`;
    for (let i = 0; i < count; i++) {
      const tail = consumer === undefined
        ? `${head}${this.#seq + i}}`
        : `${head}${this.#seq + i},"delivery":${this.#delivery + i}}`;
      writeExtended(this.#out, frames.spanOf(this.#first + i), tail);
    }
  }
}
