import type { SearchOptions } from "../../lib/search/mod.ts";
import { LANGUAGES } from "../../lib/search/words/stemmer.ts";
import { UsageError } from "../_cli/mod.ts";

/** The flags that say how data are read. */
export interface ReadingFlags {
  readonly "key-field": string | undefined;
  readonly "title-field": string | undefined;
  readonly "text-field": readonly string[];
  readonly records: string | undefined;
  readonly entries: boolean;
  readonly separator: string | undefined;
  readonly language: string | undefined;
  readonly encoding: string | undefined;
}

/** Options of `openSearch`. @throws {UsageError} for a separator or encoding that is none. */
export function readingOptions(flags: ReadingFlags): SearchOptions {
  const { records, entries, encoding } = flags;
  const separator = flags.separator === undefined ? undefined : separatorOf(flags.separator);
  if (encoding !== undefined) checkEncoding(encoding);
  return {
    keyField: flags["key-field"] === "none" ? false : flags["key-field"],
    titleField: flags["title-field"],
    textField: flags["text-field"].length === 0 ? undefined : flags["text-field"],
    records,
    entries,
    separator,
    language: flags.language === undefined ? undefined : languageOf(flags.language),
    encoding,
  };
}

function separatorOf(text: string): string {
  if (text === "tab" || text === "\\t") return "\t";
  if (text.length === 1 && !/["\r\n]/.test(text)) return text;
  throw new UsageError(
    `--separator: write one character, or tab; not ${JSON.stringify(text)}`,
  );
}

function checkEncoding(label: string): void {
  try {
    new TextDecoder(label);
  } catch {
    throw new UsageError(
      `--encoding: ${JSON.stringify(label)} is no encoding that can be read; ` +
        "write utf-8, windows-1252, shift_jis, gbk or another name of the WHATWG list",
    );
  }
}

function languageOf(code: string): string {
  if (LANGUAGES.includes(code)) return code;
  throw new UsageError(
    `--language: write one of ${LANGUAGES.join(", ")}; not ${JSON.stringify(code)}`,
  );
}
