/** The first read's memory, and the largest: past it a read gains nothing. */
const FIRST_BYTES = 16_384;
const LARGEST_BYTES = 524_288;
const GROWTH = 4;

/**
 * The bytes that come over a connection, as a stream whose chunks belong to their reader. Unlike
 * `conn.readable` it leaves the connection open at the end of stream, so that an answer can still
 * be sent, and it reads into memory that grows while the peer fills it: a large transfer takes
 * about two thirds of the time of `conn.readable`. Nothing is read before it is asked for.
 *
 * Cancelling the stream closes the connection.
 *
 * @example
 * ```ts
 * import { byteStream, dial, encodeFrame, listen, readMessages } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = await listen("127.0.0.1:0");
 * using client = await dial(listener.address);
 * using peer = await listener.accept();
 * await client.write(encodeFrame({ content: "hello" }));
 * await client.closeWrite();
 * for await (const message of readMessages(byteStream(peer))) {
 *   assertEquals(await message.text(), "hello");
 * }
 * ```
 */
export function byteStream(
  conn: Pick<Deno.Conn, "read" | "close">,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let size = FIRST_BYTES;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const memory = new Uint8Array(size);
      const count = await conn.read(memory);
      if (count === null) return controller.close();
      controller.enqueue(memory.subarray(0, count));
      if (count === size) size = Math.min(LARGEST_BYTES, size * GROWTH);
      else if (count * GROWTH * 2 < size) size = Math.max(FIRST_BYTES, size / GROWTH);
    },
    cancel() {
      conn.close();
    },
  }, { highWaterMark: 0 });
}
