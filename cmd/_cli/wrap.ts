/** Breaks a text between words into lines of at most `width` columns; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

/** The narrowest column for prose; with less room, terms get lines of their own. */
const LEAST_TEXT_COLUMNS = 24;

/** How {@linkcode twoColumns} lays out. */
export interface ColumnOptions {
  /** Columns of a line. */
  readonly width: number;
  /** Columns of the terms. @default {as many as the longest term has} */
  readonly termWidth?: number;
  /** Applied to each term after its width was measured. */
  readonly dress?: (term: string) => string;
}

/** The width of a column of terms. One of more than 32 characters gets a line of its own. */
export function termWidthOf(terms: readonly string[]): number {
  return Math.max(0, ...terms.map((term) => term.length).filter((length) => length <= 32));
}

/**
 * Lays out terms and their explanations in two columns. A term too long for its column has its
 * explanation below it.
 */
export function twoColumns(
  rows: readonly (readonly [term: string, text: string])[],
  options: ColumnOptions,
): string[] {
  const { width, dress = (term) => term } = options;
  const termWidth = options.termWidth ?? termWidthOf(rows.map(([term]) => term));
  const roomy = width - termWidth - 4 >= LEAST_TEXT_COLUMNS;
  const indent = roomy ? termWidth + 4 : 6;
  return rows.flatMap(([term, text]) => {
    const [first = "", ...more] = wrap(text, Math.max(LEAST_TEXT_COLUMNS, width - indent));
    const head = `  ${dress(term)}`;
    const lines = roomy && term.length <= termWidth
      ? [`${head}${" ".repeat(indent - 2 - term.length)}${first}`.trimEnd()]
      : [head, " ".repeat(indent) + first];
    return [...lines, ...more.map((line) => " ".repeat(indent) + line)];
  });
}
