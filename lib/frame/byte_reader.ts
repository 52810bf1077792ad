import { checkGiven } from "../base/option_kinds.ts";

/** What a read from a stream of bytes gives. */
export type ByteRead = ReadableStreamReadResult<Uint8Array>;

/**
 * Reads a stream of bytes: chunk by chunk as the stream makes them, or into given memory where it
 * is a stream of type `bytes`. One read at a time.
 */
export class ByteReader {
  /**
   * Whether the stream is of type `bytes`: it can read into the caller's memory, and each chunk of
   * it has memory that nobody else uses.
   */
  readonly isByteStream: boolean;
  readonly #stream: ReadableStream<Uint8Array>;
  /** One of the two has the stream. */
  #chunks: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #memory: ReadableStreamBYOBReader | undefined;

  /** Locks the stream. @throws {TypeError} if it is locked, or no stream. */
  constructor(stream: ReadableStream<Uint8Array>) {
    checkGiven("stream", stream, "stream");
    this.#stream = stream;
    this.#memory = lendingReaderOf(stream);
    this.isByteStream = this.#memory !== undefined;
    if (!this.isByteStream) this.#chunks = stream.getReader();
  }

  /** The next chunk. */
  read(): Promise<ByteRead> {
    if (!this.#chunks) {
      this.#memory?.releaseLock();
      this.#memory = undefined;
      this.#chunks = this.#stream.getReader();
    }
    return this.#chunks.read();
  }

  /** Reads into memory, which the stream takes over: what comes is a view of the same, moved. */
  readInto(memory: Uint8Array<ArrayBuffer>): Promise<ByteRead> {
    if (!this.#memory) {
      this.#chunks?.releaseLock();
      this.#chunks = undefined;
      this.#memory = this.#stream.getReader({ mode: "byob" });
    }
    return this.#memory.read(memory);
  }

  /** Cancels the stream; a read that waits ends. */
  cancel(reason: unknown): Promise<void> {
    return (this.#chunks ?? this.#memory)!.cancel(reason);
  }
}

function lendingReaderOf(
  stream: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    // It is of another type; or locked, which getReader() tells next.
    return undefined;
  }
}
