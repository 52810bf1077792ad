import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "../../sqlite/transaction.ts";
import { UnseenWords } from "../words/unseen_words.ts";
import { initialOf, isSpellable, lettersOf } from "../words/vocabulary_word.ts";
import { RowInserter } from "./row_inserter.ts";
import { vocabularyTable } from "./word_schema.ts";
import { yieldToMessages } from "./yield_to_messages.ts";

/** More new words than these are not added one by one: the table is made anew. */
const MAX_ADDED = 20_000;
/** Words in one transaction at most, and at first. */
const TOGETHER = 5_000;
const FIRST = 1_000;
/** One that takes longer is followed by a smaller one: of common words many entries are counted. */
const TOGETHER_MS = 10;

/** Words of {@linkcode isSpellable} that are ASCII, as terms of the full-text index are. */
const IS_PLAIN = "length(word) BETWEEN 3 AND 40 AND word NOT GLOB '*[^a-z]*'";
/** Those of which only {@linkcode isSpellable} knows. */
const IS_WIDE = "word GLOB '*[^ -~]*'";

/**
 * The words by which spelling is corrected. They are kept up to date while entries come, so that
 * the first search finds them. Words of a few entries are added as they come; after many the table
 * is made anew from the full-text index. Words that no entry has any more stay until then.
 */
export class VocabularyTable {
  readonly #db: DatabaseSync;
  readonly #inserter: RowInserter;
  readonly #markStale: StatementSync;
  #noted: string[] = [];
  /** All others were noted before; words stay in the table until it is made anew. */
  readonly #unseen = new UnseenWords();
  readonly #note = (word: string): void => void this.#noted.push(word);
  /** What is added while the table is made anew. */
  #meanwhile: Set<string> | undefined;
  #isStale: boolean;
  #added = 0;

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    const columns = "vocabulary (initial, letters, word, entries)";
    this.#inserter = new RowInserter(db, columns, "(?, ?, ?, 1)");
    this.#markStale = db.prepare("INSERT OR IGNORE INTO vocabulary VALUES ('', 0, '', 0)");
    const first = db.prepare("SELECT letters FROM vocabulary LIMIT 1").get();
    this.#isStale = first === undefined || first["letters"] === 0;
  }

  /** Whether the table has to be made anew: {@linkcode VocabularyTable.rebuild} does it. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Notes the words of an entry's texts, to be added by {@linkcode VocabularyTable.flush}. */
  note(...texts: readonly string[]): void {
    for (const text of texts) this.#unseen.visit(text, this.#note);
  }

  /** Adds what was noted, in the transaction of the entries. */
  flush(): void {
    const words = this.#noted.slice(0, Math.max(0, MAX_ADDED + 1 - this.#added));
    const rows = words.map((word) => [initialOf(word), lettersOf(word), word] as const);
    this.#added += this.#inserter.insert(rows.sort(byPlace));
    for (const word of words) this.#meanwhile?.add(word);
    this.#noted = [];
    if (this.#added <= MAX_ADDED || this.#isStale) return;
    this.#isStale = true;
    this.#markStale.run();
  }

  /** Forgets what was noted: its transaction was taken back, and with it perhaps words that were added. */
  discard(): void {
    this.#noted = [];
    this.#unseen.clear();
  }

  /**
   * Makes the table anew, in transactions of bounded size, between which clients' writes go; until
   * then the one before it serves.
   *
   * @param signal Ends it between two of them, with the signal's reason.
   */
  async rebuild(signal: AbortSignal): Promise<void> {
    try {
      await this.#rebuild(signal);
    } catch (error) {
      this.#isStale = true;
      throw error;
    } finally {
      this.#meanwhile = undefined;
    }
  }

  async #rebuild(signal: AbortSignal): Promise<void> {
    this.#db.exec(`DROP TABLE IF EXISTS fresh; ${vocabularyTable("fresh")}
      CREATE TEMP TABLE IF NOT EXISTS counted (word TEXT, entries INTEGER)`);
    const insert =
      "INSERT OR IGNORE INTO fresh SELECT substr(word, 1, 1), length(word), word, entries";
    // Words stay in SQLite where they can: to read each of them takes as long as to find and insert it.
    const empty = this.#db.prepare("DELETE FROM counted");
    const count = this.#db.prepare(
      "INSERT INTO counted SELECT term, doc FROM word WHERE term > ? LIMIT +?",
    );
    const fill = this.#db.prepare(`${insert} FROM counted WHERE ${IS_PLAIN}`);
    const wide = this.#db.prepare(`SELECT word, entries FROM counted WHERE ${IS_WIDE}`);
    const final = this.#db.prepare("SELECT word FROM counted ORDER BY rowid DESC LIMIT 1");
    const fillWith = this.#db.prepare(
      `${insert} FROM (SELECT key AS word, value AS entries FROM json_each(?))`,
    );
    // Spellable words have nothing in them that JSON escapes.
    const add = (words: readonly string[]) => fillWith.run(`{${words.join()}}`);
    const meanwhile = this.#meanwhile = new Set<string>();
    this.#isStale = false;
    this.#added = 0;
    this.#unseen.clear();
    let together = FIRST;
    for (let last = "", isOver = false; !isOver;) {
      const start = performance.now();
      transaction(this.#db, () => {
        empty.run();
        isOver = Number(count.run(last, together).changes) < together;
        fill.run();
        const words: string[] = [];
        for (const { word, entries } of wide.all()) {
          if (isSpellable(String(word))) words.push(`"${word}":${entries}`);
        }
        if (words.length > 0) add(words);
        last = String(final.get()?.["word"]);
      });
      const isLong = performance.now() - start > TOGETHER_MS;
      together = isLong ? Math.ceil(together / 2) : Math.min(TOGETHER, 2 * together);
      await yieldToMessages();
      signal.throwIfAborted();
    }
    while (meanwhile.size > FIRST) {
      transaction(this.#db, () => add(taken(meanwhile, FIRST)));
      await yieldToMessages();
      signal.throwIfAborted();
    }
    transaction(this.#db, () => {
      add(taken(meanwhile, FIRST));
      this.#db.exec("DROP TABLE vocabulary; ALTER TABLE fresh RENAME TO vocabulary");
      if (this.#isStale) this.#markStale.run();
    });
  }
}

/** Takes words out of a set: as members of JSON, each in one entry. */
function taken(words: Set<string>, most: number): string[] {
  const first = [...words.values().take(most)];
  for (const word of first) words.delete(word);
  return first.map((word) => `"${word}":1`);
}

type Row = readonly [initial: string, letters: number, word: string];

/** In the order of the table. */
function byPlace([a, lettersA, wordA]: Row, [b, lettersB, wordB]: Row): number {
  if (a !== b) return a < b ? -1 : 1;
  return lettersA - lettersB || (wordA < wordB ? -1 : 1);
}
