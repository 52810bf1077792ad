/**
 * Bytes in both directions. `Deno.Conn` is one; {@linkcode duplexOf} makes one of Web Streams, as
 * a WebSocket in a browser has them.
 */
export interface ByteDuplex {
  /** Reads some bytes; resolves to how many, `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes it; a read or write that waits ends. */
  close(): void;
}

/** Makes a duplex of two streams, which it takes over. */
export function duplexOf(
  streams: {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  },
): ByteDuplex {
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
      // The stream keeps what it is given; the caller uses its memory again.
      await writer.write(bytes.slice());
      return bytes.length;
    },
    close() {
      // Either may be closed or broken already, which is what is wanted.
      reader.cancel().catch(() => {});
      writer.abort().catch(() => {});
    },
  };
}
