import { type StreamedFrame, writeFrameHead } from "../../frame/mod.ts";
import { ContentSource } from "./content_source.ts";
import type { WriteQueue } from "./write_queue.ts";

/**
 * A frame whose content is a stream, on its way out of a connection. While it is being sent
 * nothing else may be appended to the output.
 */
export class OutgoingStream {
  readonly #header: StreamedFrame["header"];
  readonly #source: ContentSource;
  #begun = false;

  /**
   * Takes over the frame's stream.
   *
   * @param timeoutMs The longest time that the stream may give nothing when asked for bytes; `0`
   * sets no limit.
   * @throws {TypeError} if the stream has a reader already.
   * @throws {RangeError} if `content-length` is not a whole number from 0 to 2^53 - 1.
   */
  constructor({ header, content }: StreamedFrame, timeoutMs: number) {
    const length = header?.["content-length"];
    if (!Number.isSafeInteger(length) || length < 0) {
      const error = new RangeError(
        `Cannot send a stream with the content-length ${length}: give its size in bytes`,
      );
      content.cancel(error).catch(() => {});
      throw error;
    }
    this.#header = header;
    this.#source = new ContentSource(content, length, timeoutMs);
  }

  /**
   * Whether a part of the frame was appended to the output. If sending fails after that, the
   * connection has to end, because nothing that follows would be read as a frame; before, nothing
   * has happened.
   */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Sends the frame, as fast as the output has room for it. Resolves when its last byte was
   * appended.
   *
   * @throws {ContentStreamError} if the stream gives less or more than `content-length`, fails, or
   * takes too long.
   * @throws {RangeError | TypeError} if the header cannot be encoded.
   * @throws what the stream was cancelled with, and what the output failed with.
   */
  async send(output: WriteQueue): Promise<void> {
    try {
      // Read before the header is written: a stream that fails at once harms nobody.
      let chunk = await this.#source.next();
      writeFrameHead(output.buffer, this.#header, this.#header["content-length"]);
      this.#begun = true;
      while (chunk) {
        output.buffer.append(chunk);
        output.flush();
        const room = output.room();
        if (room) await room;
        chunk = await this.#source.next();
      }
      output.flush();
    } catch (error) {
      this.#source.cancel(error);
      throw error;
    }
  }

  /** Tells the stream that its bytes are not wanted any more; sending it fails with the reason. */
  cancel(reason: unknown): void {
    this.#source.cancel(reason);
  }
}
