import type { Frame } from "../../frame/frame.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { FrameError } from "../../frame/frame_error.ts";
import { type ByteDuplex, checkTransferred } from "../../net/bytes/byte_duplex.ts";
import { ReadBuffer } from "../../net/bytes/read_buffer.ts";
import { Reply } from "./reply.ts";

/** An answer that is larger, and has not come whole, is put together in memory of its own. */
const PARTS_ABOVE = 65_536;

/** Reads the answers that come over a connection. */
export class ReplyReader {
  readonly #duplex: ByteDuplex;
  readonly #maxContentBytes: number;
  readonly #onReply: (reply: Reply) => void;
  readonly #decoder = new FrameDecoder({
    maxContentBytes: Infinity,
    streamAbove: PARTS_ABOVE,
  });
  /** The answer of which parts have come. */
  #partial: PartialReply | undefined;

  /** @param maxContentBytes Answers with more content are an error. */
  constructor(duplex: ByteDuplex, maxContentBytes: number, onReply: (reply: Reply) => void) {
    this.#duplex = duplex;
    this.#maxContentBytes = maxContentBytes;
    this.#onReply = onReply;
  }

  /**
   * Hands on all answers. Resolves at the end of the stream, if that is between two answers.
   *
   * @throws {FrameError} if what comes is no frame, or one that is too large.
   * @throws what the duplex fails with, and what the callback throws.
   */
  async run(): Promise<void> {
    const input = new ReadBuffer();
    while (true) {
      const free = input.free();
      const count = await this.#duplex.read(free);
      if (count === null) break;
      checkTransferred(count, free.length);
      input.filled(count);
      const batch = this.#decoder.decode(input.bytes, input.start, input.end);
      for (const frame of batch.frames) this.#take(frame);
      input.consume(batch.consumed);
      if (batch.error) throw batch.error;
    }
    const error = this.#decoder.end();
    if (error) throw error;
  }

  #take(frame: Frame): void {
    if (this.#partial === undefined) {
      this.#check(frame);
      if (frame.complete) return this.#onReply(copyOf(frame));
    }
    const partial = this.#partial ??= new PartialReply(frame);
    partial.add(frame);
    if (!frame.complete) return;
    this.#partial = undefined;
    this.#onReply(partial.whole());
  }

  #check({ header }: Frame): void {
    const expected = header["content-length"];
    const limit = this.#maxContentBytes;
    if (expected <= limit) return;
    const message = `The content of ${expected} bytes is above the limit of ${limit} bytes`;
    throw new FrameError("frame-too-large", message, { part: "content", expected, limit, header });
  }
}

function copyOf({ header, bytes, start, contentStart }: Frame): Reply {
  const own = new Uint8Array(bytes);
  return new Reply(header, own, 0, contentStart - start, own.length);
}

/** A large answer, in memory that grows as it comes, and to no more than its size. */
class PartialReply {
  readonly #header: Frame["header"];
  readonly #contentStart: number;
  readonly #size: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param first Its first part. */
  constructor(first: Frame) {
    this.#header = first.header;
    this.#contentStart = first.contentStart - first.start;
    this.#size = this.#contentStart + first.header["content-length"];
    this.#bytes = new Uint8Array(Math.min(this.#size, 2 * PARTS_ABOVE));
  }

  add({ bytes }: Frame): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#size, Math.max(length, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  whole(): Reply {
    return new Reply(this.#header, this.#bytes, 0, this.#contentStart, this.#size);
  }
}
