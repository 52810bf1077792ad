/** A line of a text, without its line end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** The text, or its beginning if the line is too long. */
  readonly text: string;
  /** Whether the line is longer than the limit. */
  readonly tooLong: boolean;
}

/** What ends a line: `\n` also stands for `\r\n`; `\r` alone ended lines on early Macs. */
export type LineEnd = "\n" | "\r";

/**
 * Splits text into lines: those of each piece together, because waiting for each line would take
 * longer than reading it.
 *
 * @param chunks The text, cut anywhere.
 * @param maxLength The longest line, in code units. A longer one is cut off.
 */
export async function* readLines(
  chunks: AsyncIterable<string>,
  maxLength: number,
  lineEnd: LineEnd = "\n",
): AsyncGenerator<Line[]> {
  let number = 1;
  // Parts are joined once per line. A line of many parts would be copied for each of them.
  let parts: string[] = [];
  let length = 0;
  const take = (part: string) => {
    if (length <= maxLength) parts.push(part.slice(0, maxLength + 1 - length));
    length += part.length;
  };
  const finish = (): Line => {
    const text = parts.join("");
    const line = { number, text: text.endsWith("\r") ? text.slice(0, -1) : text };
    const tooLong = length > maxLength;
    parts = [];
    length = 0;
    number++;
    return { ...line, tooLong };
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, start)) {
      take(chunk.slice(start, end));
      lines.push(finish());
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.slice(start));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [finish()];
}
