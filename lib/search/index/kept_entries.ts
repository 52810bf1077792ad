import type { DatabaseSync } from "node:sqlite";
import type { RecordStore } from "./record_store.ts";
import { fromStored } from "./stored_text.ts";

/** Entries that are stored again in one transaction. */
const TOGETHER = 200;

/**
 * Stores what clients put and deleted in an index of an earlier layout; see `schema.ts`. After a
 * crash it goes on where it was.
 */
export function restoreKept(db: DatabaseSync, store: RecordStore): void {
  const some = db.prepare(`SELECT rowid, * FROM kept ORDER BY rowid LIMIT ${TOGETHER}`);
  const done = db.prepare("DELETE FROM kept WHERE rowid <= ?");
  for (let rows = some.all(); rows.length > 0; rows = some.all()) {
    store.change(() => {
      for (const row of rows) {
        const key = fromStored(row["key"]);
        if (row["removed"] === 1) store.keepDeleted(key);
        else store.put({ key, title: fromStored(row["title"]), text: fromStored(row["text"]) });
      }
      done.run(rows.at(-1)!["rowid"]!);
    });
  }
}
