/**
 * The options of a search engine.
 *
 * @module
 */
import { checkKind, checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { shownValue } from "../base/value_kind.ts";
import { bytesOption, countOption, numericOptions } from "../base/numeric_options.ts";
import { timerMs } from "../base/timer_ms.ts";
import { isEncoding } from "./data/encoding.ts";
import { ENTRY_BYTES_BOUND, MAX_ENTRY_BYTES } from "./limits.ts";
import type { SearchObserver } from "./observer.ts";
import { languageOf, LANGUAGES } from "./words/stemmer.ts";

/** Options of {@linkcode openSearch}. */
export interface SearchOptions {
  /**
   * The file that keeps the index. It is made if it does not exist; its folder must exist. Without
   * it the index is a temporary file that is deleted on close.
   */
  readonly index?: string | undefined;
  /**
   * Files and folders to take in. The end of a file's name tells its format:
   *
   * - `.json`: an array of records or texts; an object of key → text; or an object with such an array
   *   in it, as services answer. Any other object is one record;
   * - `.jsonl`, `.ndjson`: a record on each line;
   * - `.csv`, `.tsv`, `.tab`: records under a header;
   * - `.pdf`, `.docx`, `.epub`, whose text is taken out;
   * - `.html`, `.htm`, `.xhtml`, `.md`, `.markdown`, `.mdx`, and all other names, which are plain text: one
   *   entry. Its key is the path in the folder, with `/`, or the name of a file that is named here
   *   itself. Its title is the first heading.
   *
   * A text that is too large for one entry becomes several: with the keys `FILE:LINE` where it is read
   * as it is written, as plain text and large Markdown are, else `FILE#1`, `FILE#2` and so on.
   *
   * A folder is taken in with all folders in it, but without names that begin with a dot.
   *
   * Records of different files never replace each other. A record whose key no other file has is
   * served by this key alone; where `users.csv` and `orders.csv` both have a record 1, they are
   * served as `users.csv#1` and `orders.csv#1`. An entry that a client stored replaces the data's of
   * the same key.
   *
   * Without `data`, an index that has entries is served as it is, and a new index gets the entries
   * of the Python sockets tutorial. With an empty list it has no data.
   */
  readonly data?: readonly string[] | undefined;
  /**
   * The field of a record that is the key; `false` for none. A record without it, or with the same as
   * an earlier one of its file, has the key `FILE:LINE`.
   *
   * @default {the first of key, id, slug, url, name, … that differs in all records of the file}
   */
  readonly keyField?: string | false | undefined;
  /** The field of a record that is the title. @default {the first of title, name, heading, …} */
  readonly titleField?: string | undefined;
  /**
   * The fields of a record that are the text.
   *
   * @default {all that hold text; text, body, content, … first}
   */
  readonly textField?: string | readonly string[] | undefined;
  /**
   * The language of the texts, by its code, such as `en`: words are then found in their other forms,
   * too, after those as they are written. Documents that say their language are in
   * that one: HTML, Markdown's front matter, PDF, DOCX, EPUB. `SEARCH_LANGUAGES` has the codes.
   */
  readonly language?: string | undefined;
  /** Where the records of JSON files are: names joined by dots, such as `data.items`. */
  readonly records?: string | undefined;
  /** Take each member of an object in a JSON file for an entry. @default {false} */
  readonly entries?: boolean | undefined;
  /** The character that separates the values of CSV. @default {what fits the first records best} */
  readonly separator?: string | undefined;
  /**
   * The encoding of files that do not say theirs, as `TextDecoder` names it.
   *
   * @default {UTF-8, or where a file's bytes are not that, what they look like}
   */
  readonly encoding?: string | undefined;
  /**
   * Follow links in the data, to files and folders anywhere. Without it they are skipped; a path in
   * `data` may itself be a link. With `watch`, a new link is noticed at once on Linux, and elsewhere
   * when something else changes.
   *
   * @default {false}
   */
  readonly follow?: boolean | undefined;
  /**
   * Patterns of files and folders in the data that are left out, as in a `.gitignore`, relative to
   * each path in `data`. A file `.socktoolignore` has patterns for its folder.
   */
  readonly exclude?: readonly string[] | undefined;
  /**
   * Take in changes of the data while the engine is open. A path in `data` may then be replaced by
   * another file, folder or link, and may be missing for a while, as long as one is there: it is
   * waited for, and while it is gone its entries are.
   *
   * @default {false}
   */
  readonly watch?: boolean | undefined;
  /**
   * Remove the entries of a data folder that is empty when the engine opens. Without it they stay
   * until something is in the folder: it may be a mount that is not there yet.
   *
   * @default {false}
   */
  readonly prune?: boolean | undefined;
  /** Allow {@linkcode SearchEngine.put} and {@linkcode SearchEngine.delete}. @default {false} */
  readonly writable?: boolean | undefined;
  /**
   * Threads that search; costly searches leave one of them to the others. A single one gets a second
   * one beside it when the first costly search comes.
   *
   * @default {one less than the machine has cores, at least 1}
   */
  readonly workers?: number | undefined;
  /** The most searches that wait; further ones fail with `busy`. @default {1024} */
  readonly maxQueued?: number | undefined;
  /** A search that takes longer fails with `timeout`. @default {10_000} */
  readonly searchTimeoutMs?: number | undefined;
  /** Memory for a cache of entries that were looked up, in bytes. @default {16 MiB} */
  readonly cacheBytes?: number | undefined;
  /**
   * The largest entry, title and text together, in bytes of UTF-8; at most 64 MiB.
   *
   * @default {4 MiB}
   */
  readonly maxEntryBytes?: number | undefined;
  /** Ends opening. It does nothing once the engine is open. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what happens. */
  readonly observer?: SearchObserver | undefined;
}

/** Options with the defaults filled in. */
export type ResolvedOptions =
  & {
    readonly [
      K in
        | "follow"
        | "watch"
        | "writable"
        | "workers"
        | "maxQueued"
        | "searchTimeoutMs"
        | "cacheBytes"
    ]: NonNullable<SearchOptions[K]>;
  }
  & { readonly maxEntryBytes: number; readonly observer: SearchObserver };

const NUMBERS = {
  workers: countOption(Math.max(1, (navigator.hardwareConcurrency ?? 1) - 1), 1, 64),
  maxQueued: countOption(1_024, 0, 1_000_000),
  cacheBytes: bytesOption(16_777_216, 0, 2 ** 40),
  maxEntryBytes: bytesOption(MAX_ENTRY_BYTES, 1, ENTRY_BYTES_BOUND),
};

const TEXTS = ["index", "titleField", "records", "separator", "encoding"] as const;

const OBSERVER_KINDS: OptionKinds<SearchObserver> = {
  progress: "function",
  brokenRecord: "function",
  duplicateKey: "function",
  dataPath: "function",
  watching: "function",
  skippedFile: "function",
  readingNote: "function",
  indexed: "function",
  changed: "function",
  failed: "function",
  workerReplaced: "function",
};

const KINDS: OptionKinds<SearchOptions> = {
  data: "texts",
  exclude: "texts",
  entries: "flag",
  follow: "flag",
  watch: "flag",
  prune: "flag",
  writable: "flag",
  signal: "signal",
  observer: OBSERVER_KINDS,
};

function checkText(name: string, value: unknown): void {
  checkKind(name, value, "text");
  if (value === "") {
    throw new TypeError(`Cannot use "" as ${name}: give a string that is not empty`);
  }
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError} for a value of a wrong type.
 * @throws {RangeError} for a number out of range.
 */
export function resolveOptions(options: SearchOptions): ResolvedOptions {
  checkOptions(options, KINDS);
  for (const name of TEXTS) checkText(name, options[name]);
  if (options.keyField !== false) checkText("keyField", options.keyField);
  for (const name of [options.textField].flat()) checkText("textField", name);
  const { encoding, separator, language } = options;
  if (language !== undefined && (typeof language !== "string" || !languageOf(language))) {
    throw new TypeError(
      `Cannot use ${shownValue(language)} as language: give one of ${LANGUAGES.join(", ")}`,
    );
  }
  if (encoding !== undefined && !isEncoding(encoding)) {
    throw new TypeError(
      `Cannot use ${shownValue(encoding)} as encoding: it is none that can be read`,
    );
  }
  if (separator !== undefined && (separator.length !== 1 || /["\r\n]/.test(separator))) {
    throw new TypeError(
      `Cannot use ${
        shownValue(separator)
      } as separator: give one character, and no quotation mark ` +
        "or line end",
    );
  }
  for (const path of options.data ?? []) checkText("data", path);
  return {
    follow: options.follow ?? false,
    watch: options.watch ?? false,
    writable: options.writable ?? false,
    ...numericOptions(NUMBERS, options),
    searchTimeoutMs: timerMs("searchTimeoutMs", options.searchTimeoutMs, 10_000, 1),
    observer: options.observer ?? {},
  };
}
