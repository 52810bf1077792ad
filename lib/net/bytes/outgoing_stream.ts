import { timerMs } from "../../base/timer_ms.ts";
import { isStreamedFrame, type StreamedFrame } from "../../frame/streamed_frame.ts";
import { writeFrameHead } from "../../frame/frame_encoder.ts";
import { ContentSource } from "./content_source.ts";
import type { WriteQueue } from "./write_queue.ts";

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * The option `streamTimeoutMs`, or its default of a minute.
 *
 * @throws {TypeError | RangeError} if it is no time.
 */
export function streamTimeout(ms: number | undefined): number {
  return timerMs("streamTimeoutMs", ms, DEFAULT_TIMEOUT_MS);
}

/**
 * Cancels the stream of a frame that will not be sent, if the frame has one. A stream that somebody
 * reads already is left to its reader.
 */
export function discardStream(frame: unknown, reason: unknown): void {
  if (isStreamedFrame(frame)) frame.content.cancel(reason).catch(() => {});
}

/**
 * Sends a frame whose content is a stream. Nothing else may be appended to the connection's output
 * until it has been sent.
 */
export class OutgoingStream {
  readonly #header: StreamedFrame["header"];
  readonly #source: ContentSource;
  /** Fails what waits for room in the output when the stream is cancelled. */
  #failRoom: ((reason: unknown) => void) | undefined;
  #begun = false;

  /**
   * Takes over the frame's stream.
   *
   * @param timeoutMs The longest time that a read from the stream may take; `0` sets no limit.
   * @throws {TypeError} if the stream has a reader already.
   * @throws {RangeError} if `content-length` is not a whole number from 0 to 2^53 - 1.
   */
  constructor({ header, content }: StreamedFrame, timeoutMs: number) {
    const length = header?.["content-length"];
    if (!Number.isSafeInteger(length) || length < 0) {
      const error = new RangeError(
        `Cannot send a stream with the content-length ${length}: give its size in bytes`,
      );
      discardStream({ header, content }, error);
      throw error;
    }
    this.#header = header;
    this.#source = new ContentSource(content, length, timeoutMs);
  }

  /**
   * Whether a part of the frame was appended to the output. If sending fails after that, the
   * connection has to end, because the peer would take what follows for the rest of the frame. If
   * it fails before, the connection can be used as if nothing had happened.
   */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Sends the frame as the output has room for it. Resolves when its last byte was appended.
   *
   * @throws as {@linkcode OutgoingStream.begin} and {@linkcode OutgoingStream.finish} do.
   */
  async send(output: WriteQueue): Promise<void> {
    await this.begin(output);
    await this.finish(output);
  }

  /**
   * Waits for the first bytes of the stream and appends the header and them: a stream that fails at
   * once leaves the output as it was.
   *
   * @throws {ContentStreamError} if the stream gives less or more than `content-length`, fails, or
   * takes too long.
   * @throws {RangeError | TypeError} if the header cannot be encoded.
   * @throws what the stream was cancelled with.
   */
  async begin(output: WriteQueue): Promise<void> {
    try {
      // The first read comes before the header: if it fails, nothing was sent.
      const first = await this.#source.next();
      writeFrameHead(output.buffer, this.#header, this.#header["content-length"]);
      this.#begun = true;
      if (first) output.buffer.append(first);
    } catch (error) {
      this.#source.cancel(error);
      throw error;
    }
  }

  /**
   * Sends the rest, behind what {@linkcode OutgoingStream.begin} appended.
   *
   * @throws {ContentStreamError} if the stream gives less or more than `content-length`, fails, or
   * takes too long.
   * @throws what the stream was cancelled with, and what the output failed with.
   */
  async finish(output: WriteQueue): Promise<void> {
    try {
      output.flush();
      for (let room = output.room();; room = output.room()) {
        if (room) await this.#untilCancelled(room);
        const chunk = await this.#source.next();
        if (!chunk) return;
        output.buffer.append(chunk);
        output.flush();
      }
    } catch (error) {
      this.#source.cancel(error);
      throw error;
    }
  }

  /** Cancels the stream; a pending `send` rejects with the reason. */
  cancel(reason: unknown): void {
    this.#source.cancel(reason);
    this.#failRoom?.(reason);
  }

  #untilCancelled(room: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failRoom = reject;
      room.then(resolve, reject);
    });
  }
}
