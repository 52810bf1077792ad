import type { IncomingMessage } from "node:http";
import type { Budget } from "../base/budget.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import type { HttpConnection } from "./http_connection.ts";
import { WebError } from "./reply.ts";

/** How a content is read. */
interface ReadBodyOptions {
  readonly maxBytes: number;
  /** What it takes while it is read. */
  readonly memory: Budget;
  /** Called when it is wanted: a client may wait for that. */
  readonly begin: () => void;
}

/**
 * Reads the content of a request.
 *
 * @throws {WebError} 413 if it is larger than `maxBytes`, 503 if there is no memory for it,
 * 408 if it does not come in time.
 * @throws {DOMException} `AbortError` if the client leaves.
 */
export async function readBody(
  connection: HttpConnection,
  request: IncomingMessage,
  { maxBytes, memory, begin }: ReadBodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new WebError(413, "too-large", `The content may have ${maxBytes} bytes at most`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  begin();
  // A content may come in a million chunks: each would take more memory than its bytes.
  const content = new ByteBuffer();
  let taken = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      // One that is here already does not suffer from what came behind it.
      if (!request.complete) connection.waitForBody(reject);
      request.on("data", (chunk: Uint8Array) => {
        if (content.length + chunk.length > maxBytes) reject(tooLarge());
        else if (memory.tryTake(chunk.length)) {
          taken += chunk.length;
          content.append(chunk);
        } else reject(new WebError(503, "over-budget", "Too many contents are being read"));
      });
      request.once("end", resolve);
      const gone = () => reject(new DOMException("The client has left", "AbortError"));
      request.once("error", gone);
      request.once("close", gone);
    });
  } finally {
    request.removeAllListeners("data");
    request.pause();
    connection.waitNoMore();
    memory.give(taken);
  }
  return content.view().slice();
}
