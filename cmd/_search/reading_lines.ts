/**
 * Tells people what was skipped and guessed while data were read, in a bounded number of lines.
 *
 * @module
 */
import type { ReadingNote, ReadOption, SkippedFile } from "../../lib/search/mod.ts";
import type { Log } from "../_cli/mod.ts";

/** The flags of `app-server` for options of `openSearch`. */
const FLAGS: Readonly<Record<ReadOption, string>> = {
  follow: "--follow",
  maxEntryBytes: "--max-entry",
  encoding: "--encoding",
  separator: "--separator",
  records: "--records",
  entries: "--entries",
  keyField: "--key-field",
};

/** Names in one line. */
const MAX_NAMES = 5;
/** Lines of one pass. */
const MAX_LINES = 12;
/** What was told before is not told again, up to this much. */
const MAX_REMEMBERED = 20_000;

interface Group {
  readonly what: string;
  readonly names: string[];
  count: number;
}

/** Gathers what a pass tells, and says it when the pass is over. */
export class ReadingLines {
  readonly #log: Log;
  readonly #told = new Set<string>();
  #groups = new Map<string, Group>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** A file was skipped. */
  skipped({ path, reason, option }: SkippedFile): void {
    this.#add(path, `skipped: ${reason}${flagOf(option, "takes it in")}`);
  }

  /** A file was read by a guess. */
  note({ path, line, note, option }: ReadingNote): void {
    const name = line === undefined ? path : `${path}:${line}`;
    this.#add(name, `${note}${flagOf(option, "says otherwise")}`);
  }

  /** The pass is over. */
  finish(): void {
    const groups = [...this.#groups.values()];
    this.#groups = new Map();
    for (const { what, names, count } of groups.slice(0, MAX_LINES)) {
      const others = count > names.length ? `, and ${count - names.length} more (-v)` : "";
      this.#log.info(`${what}: ${names.join(", ")}${others}`);
    }
    const rest = groups.slice(MAX_LINES);
    if (rest.length === 0) return;
    const files = rest.reduce((sum, { count }) => sum + count, 0);
    this.#log.info(`${files} more files were skipped or guessed at (-v names them)`);
  }

  #add(name: string, what: string): void {
    const id = `${name}\0${what}`;
    if (this.#told.has(id)) return;
    if (this.#told.size < MAX_REMEMBERED) this.#told.add(id);
    if (this.#log.level === "verbose") return this.#log.detail(`${name}: ${what}`);
    const group = this.#groups.get(what);
    if (group === undefined) this.#groups.set(what, { what, names: [name], count: 1 });
    else {
      if (group.names.length < MAX_NAMES) group.names.push(name);
      group.count++;
    }
  }
}

/** Names the flag for an option of `openSearch`, and what it does. Empty if the option has no flag. */
export function flagOf(option: ReadOption | undefined, does: string): string {
  return option === undefined ? "" : ` (${FLAGS[option]} ${does})`;
}
