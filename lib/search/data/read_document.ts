/**
 * Reads files that become one entry each: text, Markdown, HTML. The key is the file's name. A text
 * that is too large for one entry becomes passages.
 *
 * @module
 */
import { languageOfHtml } from "./document_language.ts";
import { htmlContent } from "./html_text.ts";
import { type DataFile, type DataItem, type ReadOptions, SkipFile } from "./item.ts";
import { languageOfMarkdown, markdownContent, markdownTitle } from "./markdown.ts";
import { mayHaveSite, pageTitle } from "./titles.ts";
import { PassageCutter, passageLength, readPassages, SPLIT } from "./passages.ts";
import { textTitle } from "./text_title.ts";
import { TextSource } from "./text_source.ts";

/** How a document is written. */
export type DocumentKind = "text" | "markdown" | "mdx" | "html";

/** The beginning of a text, which has its title, in code units. */
const BEGINNING_LENGTH = 64 * 1024;
/** The largest HTML that is turned into text, in code units: it is held in memory as a whole. */
const MAX_HTML = 64 * 1024 * 1024;

/**
 * Reads a document as one entry. The title is what it says itself, or its first heading; in plain text
 * it is the first line, if that is short. Otherwise it is the file's name. Markdown is kept as it is
 * written, without comments; HTML is turned into plain text.
 */
export async function* readDocument(
  file: DataFile,
  options: ReadOptions,
  kind: DocumentKind,
): AsyncGenerator<DataItem[]> {
  const source = await TextSource.open(file, options, kind === "html");
  if (source.note !== undefined) yield [source.note];
  if (kind === "html") {
    const html = await wholeText(source, MAX_HTML);
    if (html === undefined) throw new SkipFile(`HTML of more than ${MAX_HTML} characters`);
    const language = await languageOfHtml(html);
    yield documentItems(file, options, { ...await readHtml(file, options, html), language });
    return;
  }
  const isMarkdown = kind !== "text";
  const beginning = await source.beginning(BEGINNING_LENGTH);
  const title = isMarkdown ? markdownTitle(beginning) : textTitle(beginning, file.name);
  const isLarge = file.bytes > options.maxEntryBytes;
  const text = isLarge ? undefined : await wholeText(source, options.maxEntryBytes);
  if (text === undefined) {
    const language = isMarkdown ? await languageOfMarkdown(beginning) : undefined;
    yield* readPassages(file, options, source, title, language);
  } else if (isMarkdown) {
    yield documentItems(file, options, await markdownContent(text, kind === "mdx"));
  } else yield documentItems(file, options, { title, text });
}

async function readHtml(file: DataFile, options: ReadOptions, html: string) {
  const { title, heading, sites, text } = await htmlContent(html);
  // Where its heading does not show where the site's title begins, other pages may.
  const tail = mayHaveSite(title, heading) ? await options.siteAround?.(file.real) : undefined;
  const known = tail === undefined ? sites : [...sites, tail];
  return { title: pageTitle(title, heading, known), text };
}

/** The text of a document as one entry, or as passages with the keys `FILE#1`, `FILE#2` and so on. */
export function documentItems(
  file: DataFile,
  options: ReadOptions,
  { title, text, language }: {
    readonly title: string | undefined;
    readonly text: string;
    readonly language?: string | undefined;
  },
): DataItem[] {
  if (text.trim() === "" && title === undefined) throw new SkipFile("empty");
  const local = file.name.toWellFormed();
  if (text.length * 3 <= options.maxEntryBytes || fits(text, options.maxEntryBytes)) {
    return [{ entry: { local, place: "", title: title || local, text, language } }];
  }
  const cutter = new PassageCutter(passageLength(options.maxEntryBytes));
  const passages = [...cutter.push(text), ...cutter.end()];
  return [
    SPLIT,
    ...passages.map(({ text: passage }, i) => {
      const place = `#${i + 1}`;
      const name = `${title || local} (part ${i + 1})`;
      return { entry: { local: local + place, place, title: name, text: passage, language } };
    }),
  ];
}

/** Room for the title beside the text. */
const TITLE_BYTES = 4096;

function fits(text: string, maxBytes: number): boolean {
  return new TextEncoder().encode(text).length + TITLE_BYTES <= maxBytes;
}

/** The whole text; `undefined` if it is longer than `maxLength`. */
async function wholeText(source: TextSource, maxLength: number): Promise<string | undefined> {
  const parts: string[] = [];
  let length = 0;
  for await (const chunk of source.chunks(true)) {
    length += chunk.length;
    if (length > maxLength) return undefined;
    parts.push(chunk);
  }
  return parts.join("");
}
