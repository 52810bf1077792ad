/**
 * Finds the title of a Markdown text, and what of it is text.
 *
 * @module
 */

const FENCE = /^ {0,3}(```|~~~)/;
const ATX_HEADING = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
/** A title is only looked for in the first part of a text, in code units. */
const TITLE_WITHIN = 64 * 1024;

/** The first heading of a Markdown text that is neither in code nor in the front matter. */
export function markdownTitle(text: string): string | undefined {
  const lines = text.slice(0, TITLE_WITHIN).split(/\r?\n/);
  let from = 0;
  if (lines[0] === "---") {
    const end = lines.findIndex((line, i) => i > 0 && /^(---|\.\.\.)\s*$/.test(line));
    if (end > 0) from = end + 1;
  }
  let fence: string | undefined;
  for (let i = from; i < lines.length; i++) {
    const line = lines[i]!;
    const mark = FENCE.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || fence === mark)) {
      fence = fence === undefined ? mark : undefined;
    }
    if (fence !== undefined || mark !== undefined) continue;
    const atx = ATX_HEADING.exec(line)?.[1];
    if (atx) return plain(atx);
    const isSetext = line.trim() !== "" && !/^ {0,3}([>#*+-]|\d+[.)])/.test(line) &&
      SETEXT_UNDERLINE.test(lines[i + 1] ?? "");
    if (isSetext) return plain(line);
  }
  return undefined;
}

/** A heading's text without Markdown's marks for code, emphasis and links. */
function plain(heading: string): string {
  return heading.replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1").replace(/[`*]|__/g, "")
    .trim();
}
