import type { DatabaseSync, StatementSync } from "node:sqlite";
import { indexedStem, stemmerOf } from "../words/stemmer.ts";
import { eachWord, normalise } from "../words/words.ts";
import { HeadingTable } from "./heading_table.ts";
import { SegmentMerger } from "./segment_merger.ts";
import { fromStored } from "./stored_text.ts";
import { VocabularyTable } from "./vocabulary_table.ts";

/** What of an entry is indexed. */
export interface IndexedTexts {
  /** Its language, one of `LANGUAGES`, where it is known. */
  readonly language: string | undefined;
  readonly key: string;
  readonly title: string;
  readonly text: string;
}

/**
 * Keeps the words of the entries that can be found. The caller wraps the calls in transactions, and
 * ends them by {@linkcode WordIndex.flush} or {@linkcode WordIndex.discard}.
 */
export class WordIndex {
  readonly #add: StatementSync;
  readonly #drop: StatementSync;
  readonly #flush: StatementSync;
  readonly #namesOf: StatementSync;
  readonly #addLanguage: StatementSync;
  readonly #languages = new Set<string>();
  readonly #headings: HeadingTable;
  /** Entries that were added in this transaction. */
  #gathered = 0;
  /** The words by which spelling is corrected. */
  readonly vocabulary: VocabularyTable;
  /** Merges what the transactions leave. */
  readonly segments: SegmentMerger;

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#add = db.prepare(
      "INSERT INTO words (rowid, key, title, text, stems) VALUES (?, ?, ?, ?, ?)",
    );
    this.#drop = db.prepare("DELETE FROM words WHERE rowid = ?");
    this.#flush = db.prepare("INSERT INTO words (words) VALUES ('flush')");
    this.#namesOf = db.prepare("SELECT local, title FROM record WHERE id = ?");
    this.#addLanguage = db.prepare("INSERT OR IGNORE INTO language (code) VALUES (?)");
    this.#headings = new HeadingTable(db);
    this.vocabulary = new VocabularyTable(db);
    this.segments = new SegmentMerger(db);
  }

  /** Adds an entry, which is not there yet. @param id The number of its record. */
  add(id: number, { key, title, text, language }: IndexedTexts): void {
    const keyWords = normalise(key);
    const titleWords = title === key ? keyWords : normalise(title);
    const words = normalise(text);
    const stems = language === undefined ? "" : this.#stems(language, titleWords, words);
    // If the title repeats the key, its words must not count twice.
    this.#gathered++;
    this.#add.run(id, keyWords, titleWords === keyWords ? "" : titleWords, words, stems);
    this.#headings.add(id, title, key);
    if (!this.vocabulary.isStale) this.vocabulary.note(keyWords, titleWords, words);
  }

  /** Notes a language of the index, whose stems searches are to look for. */
  addLanguage(language: string): void {
    if (this.#languages.has(language)) return;
    this.#languages.add(language);
    this.#addLanguage.run(language);
  }

  /** The stems that differ from their words, each once. */
  #stems(language: string, title: string, text: string): string {
    const stem = stemmerOf(language);
    if (stem === undefined) return "";
    this.addLanguage(language);
    const stems = new Set<string>();
    const add = (word: string) => {
      const own = stem(word);
      if (own !== word) stems.add(indexedStem(own));
    };
    eachWord(title, add);
    eachWord(text, add);
    return [...stems].join(" ");
  }

  /** Removes an entry, whose record is still as it was added. @param id The number of its record. */
  drop(id: number): void {
    this.#drop.run(id);
    const names = this.#namesOf.get(id);
    if (names === undefined) return;
    this.#headings.drop(id, fromStored(names["title"]), fromStored(names["local"]));
  }

  /**
   * Writes what calls have noted, at the end of their transaction; what FTS5 has gathered of several
   * entries, too, as it would in the commit: so the time of all work is known before that.
   */
  flush(): void {
    this.#headings.flush();
    this.vocabulary.flush();
    if (this.#gathered > 1) this.#flush.run();
    this.#gathered = 0;
  }

  /** Forgets what calls have noted: their transaction was taken back. */
  discard(): void {
    this.#gathered = 0;
    this.#headings.discard();
    this.vocabulary.discard();
  }
}
