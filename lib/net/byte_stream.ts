import { checkGiven } from "../base/option_kinds.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { Connection } from "./connection.ts";

/**
 * How much memory is made for a read: at first, and at most, because larger reads are not faster.
 * It grows by this factor after a read that filled it, and shrinks after one that needed much less.
 */
const FIRST_BYTES = 16_384;
const LARGEST_BYTES = 524_288;
const GROWTH = 4;

/**
 * The bytes that arrive over a connection, as a stream. Unlike `conn.readable` it does not close
 * the connection at the end of the stream, so that an answer can still be sent. The connection is
 * read only when the stream's reader asks for bytes.
 *
 * The stream is of type `bytes`. A reader that brings its own memory (`getReader({ mode: "byob"
 * })`) is the fastest, because the socket is read directly into that memory. For other readers each
 * chunk is new memory that belongs to the reader.
 *
 * **Ownership.** A `Deno.Conn` belongs to the stream from then on: cancelling the stream closes it.
 * A server's {@linkcode Connection} still belongs to its service, which has to finish it. Its
 * stream begins with the bytes that `input` holds. Cancelling the stream only ends the reading;
 * bytes of a read that is pending at that time are lost.
 *
 * @throws {TypeError} if it is no connection.
 *
 * @example
 * ```ts
 * import { encodeFrame, readMessages } from "@socktool/socktool/frame";
 * import { byteStream, dial, listen } from "@socktool/socktool/net";
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
  if (!(conn instanceof Connection)) {
    checkGiven("conn", conn, "object");
    checkGiven("conn.read", conn.read, "function");
  }
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
        // A reader that waits with memory of its own gets that back.
        controller.byobRequest?.respond(0);
      } else if (request) request.respond(count);
      else {
        controller.enqueue(memory.subarray(0, count));
        if (count === size) size = Math.min(LARGEST_BYTES, size * GROWTH);
        else if (count * GROWTH * 2 < size) size = Math.max(FIRST_BYTES, size / GROWTH);
      }
    },
    cancel() {
      if (!(conn instanceof Connection)) closeQuietly(conn);
    },
  });
}
