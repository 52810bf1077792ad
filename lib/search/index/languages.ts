import type { DatabaseSync } from "node:sqlite";
import { loadStemmer } from "../words/stemmer.ts";
import { LANGUAGES_OF_INDEX } from "./word_schema.ts";

/** Loads the stemmers of an index's languages. */
export async function loadLanguages(db: DatabaseSync): Promise<void> {
  const rows = db.prepare(LANGUAGES_OF_INDEX).all();
  await Promise.all(rows.map((row) => loadStemmer(String(row["code"]))));
}
