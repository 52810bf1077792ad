import { closeConn } from "./close_conn.ts";
import { Connection } from "./connection.ts";

/** The first read's memory, and the largest: past it a read gains nothing. */
const FIRST_BYTES = 16_384;
const LARGEST_BYTES = 524_288;
const GROWTH = 4;

/**
 * The bytes that come over a connection, as a stream. Unlike `conn.readable` it leaves the connection
 * open at the end of stream, so that an answer can still be sent. Nothing is read before it is asked
 * for.
 *
 * It is a stream of type `bytes`. A reader with memory of its own (`getReader({ mode: "byob" })`) is
 * the fastest: the socket is read into that memory. Chunks of other readers belong to whoever reads
 * them; each is new memory, which grows while the peer fills it.
 *
 * A `Deno.Conn` is taken over: cancelling the stream closes it. The {@linkcode Connection} of a server
 * stays its service's, which ends it as ever: what its `input` holds comes first, and cancelling the
 * stream ends the reading alone; what a read brings that waits then is lost.
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
  conn: Pick<Deno.Conn, "read" | "close"> | Connection,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const read = conn instanceof Connection
    ? (memory: Uint8Array) => conn.readInto(memory)
    : (memory: Uint8Array) => conn.read(memory);
  let size = FIRST_BYTES;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const request = controller.byobRequest;
      const memory = request?.view as Uint8Array<ArrayBuffer> ?? new Uint8Array(size);
      const count = await read(memory);
      if (count === null) {
        controller.close();
        // Gives the memory back of the read that waits, if one does.
        controller.byobRequest?.respond(0);
      } else if (request) request.respond(count);
      else {
        controller.enqueue(memory.subarray(0, count));
        if (count === size) size = Math.min(LARGEST_BYTES, size * GROWTH);
        else if (count * GROWTH * 2 < size) size = Math.max(FIRST_BYTES, size / GROWTH);
      }
    },
    cancel() {
      if (!(conn instanceof Connection)) closeConn(conn);
    },
  });
}
