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

/** The narrowest column in which prose can still be read; below it terms get a line of their own. */
const LEAST_TEXT_COLUMNS = 24;

/**
 * Lays out terms and their explanations in two columns. A term too long for its column has its
 * explanation below it.
 *
 * @param dress Applied to each term after its width was measured.
 */
export function twoColumns(
  rows: readonly (readonly [term: string, text: string])[],
  width: number,
  dress: (term: string) => string = (term) => term,
): string[] {
  const longest = Math.max(0, ...rows.map(([term]) => term.length).filter((n) => n <= 32));
  const roomy = width - longest - 4 >= LEAST_TEXT_COLUMNS;
  const indent = roomy ? longest + 4 : 6;
  return rows.flatMap(([term, text]) => {
    const [first = "", ...more] = wrap(text, Math.max(LEAST_TEXT_COLUMNS, width - indent));
    const fits = roomy && term.length <= longest;
    const head = `  ${dress(term)}`;
    const lines = fits
      ? [`${head}${" ".repeat(indent - 2 - term.length)}${first}`.trimEnd()]
      : [head, " ".repeat(indent) + first];
    return [...lines, ...more.map((line) => " ".repeat(indent) + line)];
  });
}
