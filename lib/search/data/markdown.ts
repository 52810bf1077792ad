/**
 * Finds the title of a Markdown or MDX text, and what of it is text.
 *
 * @module
 */
import { loadedLanguage } from "./document_language.ts";
import { type Fields, hasText, linesOf, textOf } from "./field_values.ts";

const FENCE = /^ {0,3}(```|~~~)/;
const ATX_HEADING = /^ {0,3}#{1,6}[ \t]+(.*)/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
/** A longer heading is cut: it is looked at with patterns that take the square of its length. */
const MAX_HEADING = 1000;
/** The longest front matter that is read, in code units. */
const MAX_FRONT_MATTER = 64 * 1024;
const FRONT_MATTER =
  /^\ufeff?(---|\+\+\+)[ \t]*\r?\n([\s\S]*?)(?:^|\n)(?:\1|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** What comments of HTML and MDX begin and end with; they are no text. */
const COMMENTS: readonly (readonly [begin: string, end: string])[] = [["<!--", "-->"], [
  "{/*",
  "*/}",
]];
/**
 * Names of headings for links, with the space before them: they are no text either. None has a sign by
 * which a comment ends.
 */
const HEADING_NAME = /(?<![ \t])[ \t]*\{#[^{}\s*>]*\}(?=[ \t]*$)/gm;
/** In MDX also code between the paragraphs, and elements of components. */
const NO_TEXT_MDX = /^(?:import|export)\s[^\n]*$|<\/?[A-Z][\w.]*(?:\s[^<>]*)?\/?>/gm;

/** A Markdown text as it is read. */
export interface MarkdownContent {
  readonly title: string | undefined;
  readonly text: string;
  /** That of the front matter's `lang` or `language`, where it has stems. */
  readonly language: string | undefined;
}

/**
 * The title and text of Markdown: the title of the front matter, else the first heading. The text has
 * the front matter's description before it, and its other fields behind it, a line for each, but for
 * the language.
 *
 * @param isMdx Whether it is MDX.
 */
export async function markdownContent(source: string, isMdx: boolean): Promise<MarkdownContent> {
  const { fields, body } = await frontMatterOf(source);
  const text = withoutComments(body, isMdx);
  const { title, description, ...rest } = fields;
  const language = await languageIn(fields);
  const lines = Object.entries(rest)
    .filter(([name, value]) => hasText(value) && !(language && LANGUAGE_FIELDS.includes(name)))
    .flatMap(([name, value]) => linesOf(name, value));
  const parts = [textOf(description) ?? "", text.trim(), lines.join("\n")];
  return {
    title: textOf(title)?.trim() || markdownTitle(text),
    text: parts.every((part, i) => part === "" || i === 1)
      ? text
      : parts.filter((part) => part !== "").join("\n\n"),
    language,
  };
}

const LANGUAGE_FIELDS: readonly string[] = ["lang", "language"];

/** The language that a Markdown text says it is in, if it has stems; its stemmer is then loaded. */
export async function languageOfMarkdown(text: string): Promise<string | undefined> {
  return await languageIn((await frontMatterOf(text)).fields);
}

function languageIn(fields: Fields): Promise<string | undefined> {
  return loadedLanguage(LANGUAGE_FIELDS.map((name) => fields[name]).find((tag) => tag));
}

/** The fields before a text: between `---` in YAML, or between `+++` in TOML. */
async function frontMatterOf(source: string): Promise<{ fields: Fields; body: string }> {
  const start = source.slice(0, MAX_FRONT_MATTER);
  const match = FRONT_MATTER.exec(start);
  if (match === null) return { fields: {}, body: source };
  const [whole, mark, text] = match;
  try {
    const fields: unknown = mark === "---"
      ? (await import("yaml")).parse(text!, { logLevel: "error" })
      : (await import("smol-toml")).parse(text!);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
      return { fields: fields as Fields, body: source.slice(whole.length) };
    }
  } catch {
    // Something else that begins as front matter does, or a mistake in it: it stays in the text.
  }
  return { fields: {}, body: source };
}

/** The first heading of a Markdown text that is not in code. */
export function markdownTitle(text: string): string | undefined {
  const lines = text.slice(0, MAX_FRONT_MATTER).split(/\r\n?|\n/);
  let fence: string | undefined;
  for (const [i, line] of lines.entries()) {
    const mark = FENCE.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || fence === mark)) {
      fence = fence === undefined ? mark : undefined;
    }
    if (fence !== undefined || mark !== undefined) continue;
    const atx = atxHeading(line);
    if (atx) return plain(atx);
    const isSetext = line.trim() !== "" && !/^ {0,3}([>#*+-]|\d+[.)])/.test(line) &&
      SETEXT_UNDERLINE.test(lines[i + 1] ?? "");
    if (isSetext) return plain(line);
  }
  return undefined;
}

/** The text of a heading such as `## this` or `## this ##`; `undefined` if the line is none. */
function atxHeading(line: string): string | undefined {
  const text = ATX_HEADING.exec(line)?.[1]?.slice(0, MAX_HEADING).trimEnd();
  return text?.replace(/[ \t]+#+$/, "");
}

/** A text without what no reader sees; what is in code stays as it is. */
function withoutComments(text: string, isMdx: boolean): string {
  if (!/<!--|\{[/#]/.test(text) && !isMdx) return text;
  const clean = (part: string) => {
    const without = withoutParts(part.replace(HEADING_NAME, ""), COMMENTS);
    return isMdx ? without.replace(NO_TEXT_MDX, "") : without;
  };
  // The parts at odd places are code.
  return text.split(/(^ {0,3}```[\s\S]*?^ {0,3}```|^ {0,3}~~~[\s\S]*?^ {0,3}~~~|`[^`\n]+`)/m)
    .map((part, i) => i % 2 === 1 ? part : clean(part)).join("");
}

/** A text without what stands between one of some beginnings and its end, and without these. */
function withoutParts(
  text: string,
  kinds: readonly (readonly [begin: string, end: string])[],
): string {
  let rest = "";
  let done = 0;
  const next = kinds.map(([begin]) => text.indexOf(begin));
  while (true) {
    const starts = next.filter((at) => at >= 0);
    if (starts.length === 0) return rest + text.slice(done);
    const start = Math.min(...starts);
    const kind = next.indexOf(start);
    const [begin, mark] = kinds[kind]!;
    const end = text.indexOf(mark, start + begin.length);
    if (end < 0) {
      // Nor is there an end behind a later beginning.
      next[kind] = -1;
      continue;
    }
    rest += text.slice(done, start);
    done = end + mark.length;
    for (const [i, at] of next.entries()) {
      if (at >= 0 && at < done) next[i] = text.indexOf(kinds[i]![0], done);
    }
  }
}

/** A heading's text without Markdown's marks for code, emphasis and links. */
function plain(heading: string): string {
  return heading.slice(0, MAX_HEADING).replace(/[ \t]*\{#[^{}\s]*\}$/, "")
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1").replace(/[`*]|__/g, "").trim();
}
