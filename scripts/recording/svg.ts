/** A line on the terminal. */
export interface Line {
  /** May have escape sequences for bold, dim and colours. */
  readonly text: string;
  /** When it comes, in milliseconds from the start. */
  readonly atMs: number;
  /** Whether it is typed, after a prompt. @default {false} */
  readonly isCommand?: boolean;
}

const FONT_PX = 14;
const LINE_PX = 19;
/** The advance of a character in the fonts that are named, for 14 px. */
const CHARACTER_PX = 8.43;
const PADDING_PX = 18;

/** The classes of what escape sequences ask for; those that end a style have none. */
const STYLES: Readonly<Record<string, string>> = {
  "1": "b",
  "2": "d",
  "31": "r",
  "32": "g",
  "33": "y",
  "36": "c",
};

const CSS = `
text { font: ${FONT_PX}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre; fill: #d8dee9; }
.w { fill: #14181f; } .p { fill: #8fbc8f; } .b { font-weight: bold; fill: #fff; } .d { fill: #7f8a9b; }
.r { fill: #ff7b72; } .g { fill: #7ee787; } .y { fill: #f2cc60; } .c { fill: #79c0ff; }
@media (prefers-reduced-motion: no-preference) {
  .l { animation: show 1ms both; }
  @keyframes show { from { visibility: hidden; } to { visibility: visible; } }
}`;

/** Draws lines as they come. Who wants no motion sees all of them at once. */
export function svgOf(lines: readonly Line[], columns: number): string {
  const rows = lines.flatMap((line) => wrapped(line, columns));
  const width = Math.ceil(columns * CHARACTER_PX + 2 * PADDING_PX);
  const height = rows.length * LINE_PX + 2 * PADDING_PX;
  const texts = rows.map(({ spans, atMs }, row) => {
    const y = PADDING_PX + (row + 0.75) * LINE_PX;
    const drawn = spans.map(({ text, style }) =>
      style === "" ? escape(text) : `<tspan class="${style}">${escape(text)}</tspan>`
    ).join("");
    return `<text class="l" style="animation-delay:${atMs}ms" x="${PADDING_PX}" y="${y}">${drawn}</text>`;
  });
  const label =
    "A terminal: socktool serves searches, passes on a publication, and measures a server";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" role="img" aria-label="${label}">`,
    `<style>${CSS}</style>`,
    `<rect class="w" width="${width}" height="${height}" rx="8"/>`,
    ...texts,
    "</svg>",
    "",
  ].join("\n");
}

/** Characters in one style. */
interface Span {
  readonly text: string;
  readonly style: string;
}

/** Takes a line apart by its styles, and breaks it as a terminal does. */
function wrapped(line: Line, columns: number): { spans: Span[]; atMs: number }[] {
  const rows: Span[][] = [[]];
  let column = 0;
  const put = (text: string, style: string) => {
    for (const character of text) {
      const cells = /\p{Extended_Pictographic}/u.test(character) ? 2 : 1;
      if (column + cells > columns) {
        rows.push([]);
        column = 0;
      }
      column += cells;
      const spans = rows.at(-1)!;
      const last = spans.at(-1);
      if (last?.style === style) spans[spans.length - 1] = { text: last.text + character, style };
      else spans.push({ text: character, style });
    }
  };
  if (line.isCommand) put("$ ", "p");
  let style = line.isCommand ? "b" : "";
  // Of what a line was overwritten with, the last stays.
  // deno-lint-ignore no-control-regex
  const text = line.text.split(/\x1b\[\d*[A-KS-T]/).at(-1)!.replaceAll("\r", "");
  // deno-lint-ignore no-control-regex
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    // deno-lint-ignore no-control-regex
    const [, code] = /^\x1b\[([0-9;]*)m$/.exec(part) ?? [];
    if (code === undefined) put(part, style);
    else style = code.split(";").map((one) => STYLES[one] ?? "").filter(Boolean).join(" ");
  }
  return rows.map((spans) => ({ spans, atMs: line.atMs }));
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
