/**
 * Finds the title of a Markdown or MDX text, and what of it is text.
 *
 * @module
 */
import { loadedLanguage } from "./document_language.ts";
import { type Fields, hasText, linesOf, textOf } from "./field_values.ts";

const FENCE = /^ {0,3}(```|~~~)/;
const ATX_HEADING = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
/** The longest front matter that is read, in code units. */
const MAX_FRONT_MATTER = 64 * 1024;
const FRONT_MATTER =
  /^\ufeff?(---|\+\+\+)[ \t]*\r?\n([\s\S]*?)(?:^|\n)(?:\1|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** What is no text in Markdown: comments of HTML and MDX, and names of headings for links. */
const NO_TEXT = /<!--[\s\S]*?-->|\{\/\*[\s\S]*?\*\/\}|[ \t]*\{#[^{}\s]*\}(?=[ \t]*$)/gm;
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
  const lines = text.slice(0, MAX_FRONT_MATTER).split(/\r?\n/);
  let fence: string | undefined;
  for (const [i, line] of lines.entries()) {
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

/** A text without what no reader sees; what is in code stays as it is. */
function withoutComments(text: string, isMdx: boolean): string {
  if (!/<!--|\{[/#]/.test(text) && !isMdx) return text;
  const clean = (part: string) => {
    const without = part.replace(NO_TEXT, "");
    return isMdx ? without.replace(NO_TEXT_MDX, "") : without;
  };
  // The parts at odd places are code.
  return text.split(/(^ {0,3}```[\s\S]*?^ {0,3}```|^ {0,3}~~~[\s\S]*?^ {0,3}~~~|`[^`\n]+`)/m)
    .map((part, i) => i % 2 === 1 ? part : clean(part)).join("");
}

/** A heading's text without Markdown's marks for code, emphasis and links. */
function plain(heading: string): string {
  return heading.replace(/[ \t]*\{#[^{}\s]*\}$/, "")
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1").replace(/[`*]|__/g, "").trim();
}
