import type { IncomingMessage } from "node:http";
import type { Budget } from "../base/budget.ts";
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
  const chunks: Uint8Array[] = [];
  let size = 0;
  let taken = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      // One that is here already does not suffer from what came behind it.
      if (!request.complete) connection.waitForBody(reject);
      request.on("data", (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > maxBytes) reject(tooLarge());
        else if (memory.tryTake(chunk.length)) {
          taken += chunk.length;
          chunks.push(chunk);
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
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
