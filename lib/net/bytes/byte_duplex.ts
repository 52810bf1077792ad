import { checkGiven, refusal } from "../../base/option_kinds.ts";

/**
 * A connection that carries bytes in both directions. A `Deno.Conn` is one; {@linkcode duplexOf}
 * makes one of two Web Streams, such as those of a WebSocket in a browser.
 */
export interface ByteDuplex {
  /**
   * Whether what the peer sends is taken, and kept in memory, also while nobody reads: as over a
   * WebSocket of a browser, which cannot be paused. Over others the peer has to wait then.
   *
   * @default {false}
   */
  readonly buffersInput?: boolean | undefined;
  /** Reads available bytes; resolves to how many, at least 1, or to `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, perhaps not all; resolves to how many, at least 1. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes it; pending reads and writes end. */
  close(): void;
}

/** @throws {TypeError} if it is no duplex. */
export function checkDuplex(duplex: ByteDuplex): void {
  checkGiven("connection", duplex, "object");
  for (const name of ["read", "write", "close"] as const) {
    checkGiven(`connection.${name}`, duplex[name], "function");
  }
}

/**
 * Checks the count that a duplex of the program's own returns from `read` or `write`. With a wrong one
 * the same bytes would be written for ever, or bytes would be taken that nobody sent.
 *
 * @param room The size of what it was given to read into, or to write.
 * @throws {TypeError} if the count is no whole number from 1 to that.
 */
export function checkTransferred(count: number, room: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= room) return;
  throw new TypeError(refusal("count", count, `1 to ${room}, or null at the end`));
}

/**
 * Makes a duplex of two streams, which belong to it from then on.
 *
 * @throws {TypeError} if one of them is no such stream, or is locked.
 */
export function duplexOf(
  streams: {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  },
): ByteDuplex {
  checkGiven("streams", streams, "object");
  for (const name of ["readable", "writable"] as const) checkGiven(name, streams[name], "object");
  const reader = streams.readable.getReader();
  const writer = streams.writable.getWriter();
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async read(into) {
      while (chunk.length === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        chunk = value;
      }
      const part = chunk.subarray(0, into.length);
      into.set(part);
      chunk = chunk.subarray(part.length);
      return part.length;
    },
    async write(bytes) {
      // The stream may keep the chunk, and the caller may write to its memory again.
      await writer.write(bytes.slice());
      return bytes.length;
    },
    close() {
      // It does not matter if a stream is closed already, or has failed.
      reader.cancel().catch(() => {});
      writer.abort().catch(() => {});
    },
  };
}
