import { UsageError } from "./usage_error.ts";

/** A line longer than this is hardly one; without a bound it would fill the memory. */
const MAX_LINE_LENGTH = 1_048_576;

/**
 * Reads UTF-8 text line by line, without the line ends; a last line needs none. Ends early when
 * the signal is aborted. The stream is cancelled when the reader has enough.
 *
 * @throws {UsageError} if a line has more than 1,048,576 characters.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  const decoder = new TextDecoder();
  let rest = "";
  try {
    while (signal?.aborted !== true) {
      const { done, value } = await reader.read();
      const lines = (rest + (done ? decoder.decode() : decoder.decode(value, { stream: true })))
        .split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield withoutReturn(line);
      if (rest.length > MAX_LINE_LENGTH) {
        throw new UsageError(`stdin: a line has more than ${MAX_LINE_LENGTH} characters`);
      }
      if (done) break;
    }
    if (rest !== "" && signal?.aborted !== true) yield withoutReturn(rest);
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
