import { concat } from "@std/bytes";
import { UsageError } from "./exit_code.ts";

/** The longest line that is accepted: input without line ends must not fill the memory. */
const MAX_LINE_BYTES = 1_048_576;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Reads UTF-8 text line by line, without the line ends; a last line needs none. Ends early when
 * the signal is aborted. The stream is cancelled when the reader has enough.
 *
 * @throws {UsageError} if a line has more than 1,048,576 bytes.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const line of readByteLines(stream, signal)) yield decoder.decode(line);
}

/** Like {@linkcode readLines}, but yields each line's bytes. They are not overwritten later. */
export async function* readByteLines(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  /** The parts of a line whose end has not arrived. */
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  let lines = 0;
  try {
    while (signal?.aborted !== true) {
      const { done, value } = await reader.read();
      if (done) break;
      let start = 0;
      for (let end = value.indexOf(NEWLINE); end >= 0; end = value.indexOf(NEWLINE, start)) {
        const last = value.subarray(start, end);
        lines++;
        yield withoutReturn(parts.length === 0 ? last : concat([...parts, last]));
        parts = [];
        partBytes = 0;
        start = end + 1;
      }
      if (start === value.length) continue;
      parts.push(value.subarray(start));
      partBytes += value.length - start;
      if (partBytes > MAX_LINE_BYTES) {
        throw new UsageError(`stdin, line ${lines + 1}: it has more than ${MAX_LINE_BYTES} bytes`);
      }
    }
    if (parts.length > 0 && signal?.aborted !== true) yield withoutReturn(concat(parts));
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}
