/**
 * What a connection sends, as a stream: each chunk is written whole, closing the stream closes the
 * sending half, and aborting it closes the connection.
 */
export function connWritable(
  conn: Pick<Deno.Conn, "write" | "closeWrite" | "close">,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  return new WritableStream({
    write: async (bytes) => {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    close: () => conn.closeWrite(),
    abort: () => conn.close(),
  });
}
