/**
 * The fenced blocks of a Markdown page, and what is said about each in a comment right above it:
 *
 * - `<!-- norun: REASON -->`: it is not run.
 * - `<!-- keeps running -->`: its last command runs on until the next heading, as a server in a
 *   terminal of its own does.
 * - `<!-- times vary -->`: other durations, rates and widths of columns than in the expected output
 *   are accepted.
 *
 * @module
 */

/** One fenced block. */
export interface Block {
  /** The page's path, relative to the checkout. */
  readonly page: string;
  /** The line of its opening fence, counted from 1. */
  readonly line: number;
  /** The nearest heading above it; "" above the first. */
  readonly heading: string;
  /** The first word behind the fence; "" if there is none. */
  readonly language: string;
  readonly text: string;
  /** Why it is not run; `undefined` if it is. */
  readonly noRun: string | undefined;
  readonly keepsRunning: boolean;
  readonly timesVary: boolean;
}

/** A page taken apart. */
export interface Page {
  readonly blocks: readonly Block[];
  /** What is wrong with the page as it is written. */
  readonly problems: readonly string[];
}

/** What blocks can be: run, or pictures and listings in plain text. */
export const LANGUAGES: readonly string[] = ["sh", "console", "ts", "json", "text"];

const FENCE = /^(\s*)(`{3,}|~{3,})\s*([^`]*)$/;

/** Takes a page apart. */
export function parsePage(page: string, markdown: string): Page {
  const blocks: Block[] = [];
  const problems: string[] = [];
  let heading = "";
  let marks: Mark[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const where = `${page}:${at + 1}`;
    const fence = FENCE.exec(line);
    if (fence) {
      const [, indent, marker, info] = fence as unknown as [string, string, string, string];
      const end = lines.findIndex((text, i) => i > at && closes(text, marker));
      if (end < 0) {
        problems.push(`${where}: the block does not end`);
        break;
      }
      const noRun = marks.find(({ name }) => name === "norun");
      const block: Block = {
        page,
        line: at + 1,
        heading,
        language: info.trim().split(/\s+/)[0]!,
        text: lines.slice(at + 1, end).map((text) => dedented(text, indent.length)).join("\n"),
        noRun: noRun?.value,
        keepsRunning: marks.some(({ name }) => name === "keeps running"),
        timesVary: marks.some(({ name }) => name === "times vary"),
      };
      problems.push(...problemsOf(block).map((problem) => `${where}: ${problem}`));
      blocks.push(block);
      marks = [];
      at = end;
    } else if (/^\s*<!--/.test(line)) {
      const end = lines.findIndex((text, i) => i >= at && text.includes("-->"));
      const text = lines.slice(at, end < 0 ? undefined : end + 1).join(" ");
      const mark = markOf(text, where);
      if (mark) marks.push(mark);
      if (end >= 0) at = end;
    } else if (line.trim() !== "") {
      problems.push(...withoutBlock(marks));
      marks = [];
      if (/^#{1,6} /.test(line)) heading = line.replace(/^#+ /, "").trim();
    }
  }
  problems.push(...withoutBlock(marks));
  return { blocks, problems };
}

interface Mark {
  readonly name: string;
  readonly value: string;
  readonly where: string;
}

function markOf(comment: string, where: string): Mark | undefined {
  const [, name, value = ""] =
    /^\s*<!--\s*(norun|keeps running|times vary)\b:?\s*(.*?)\s*-->\s*$/.exec(comment) ?? [];
  return name === undefined ? undefined : { name, value, where };
}

function withoutBlock(marks: readonly Mark[]): string[] {
  return marks.map(({ name, where }) => `${where}: "${name}" stands above no block`);
}

function problemsOf({ language, noRun }: Block): string[] {
  if (noRun !== undefined) return noRun === "" ? ["norun needs a reason"] : [];
  if (LANGUAGES.includes(language)) return [];
  const found = language === "" ? "the block has no language" : `no block is run as ${language}`;
  return [`${found}: one of ${LANGUAGES.join(", ")}, or a norun comment with a reason`];
}

function closes(line: string, marker: string): boolean {
  const text = line.trim();
  return text.length >= marker.length && text === marker[0]!.repeat(text.length);
}

function dedented(line: string, width: number): string {
  return line.slice(Math.min(width, line.length - line.trimStart().length));
}
