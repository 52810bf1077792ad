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
    this.#db.exec(`DROP TABLE IF EXISTS fresh; ${vocabularyTable("fresh")}`);
    // All at once: one by one they take twice as long.
    const fill = this.#db.prepare(`INSERT OR IGNORE INTO fresh
      SELECT substr(key, 1, 1), length(key), key, value FROM json_each(?)`);
    // Spellable words have nothing in them that JSON escapes.
    const add = (words: readonly string[]) => fill.run(`{${words.join()}}`);
    const read = this.#db.prepare("SELECT term, doc FROM word WHERE term > ? LIMIT +?");
    const meanwhile = this.#meanwhile = new Set<string>();
    this.#isStale = false;
    this.#added = 0;
    this.#unseen.clear();
    let together = FIRST;
    for (let last = "", isOver = false; !isOver;) {
      const start = performance.now();
      const rows = read.all(last, together);
      isOver = rows.length < together;
      const words: string[] = [];
      for (const row of rows) {
        last = String(row["term"]);
        if (isSpellable(last)) words.push(`"${last}":${row["doc"]}`);
      }
      transaction(this.#db, () => add(words));
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
