import type { DatabaseSync } from "node:sqlite";
import { contentOf, missingRecords, readJournal, saltOf, storeRecords } from "./journal/reading.ts";
import { Runs } from "./runs.ts";
import { Statements } from "./statements.ts";

/**
 * Has a connection that only reads see what the journal has and the database lacks, as if it were there,
 * and the last message of each topic: for a store that cannot be written any more. The file of the
 * database is left as it is.
 *
 * @param lasts The number of the last message of each stream: what is behind it was not confirmed.
 */
export function showJournal(
  db: DatabaseSync,
  path: string,
  lasts: ReadonlyMap<string, number>,
): void {
  const statements = new Statements(db);
  const streams = statements.rows<[number, string, number]>("SELECT id, name, next FROM stream");
  const lastOf = new Map(streams.map(([id, name]) => [id, lasts.get(name) ?? 0]));
  const { records } = contentOf(readJournal(path), saltOf(db));
  const missing = missingRecords(statements, records).filter(({ stream, first, count }) =>
    first + count - 1 <= (lastOf.get(stream) ?? 0)
  );
  db.exec(`
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE journaled AS SELECT * FROM main.run WHERE 0;
    CREATE INDEX temp.journaled_first ON journaled (stream, first);
    CREATE INDEX temp.journaled_id ON journaled (id);
  `);
  storeRecords(statements, missing, "journaled");
  // Names of rows must differ: those of the database begin with 1. A table of the database comes after
  // what is temporary and has the same name.
  db.exec(`
    UPDATE journaled SET id = -rowid;
    CREATE TEMP VIEW run AS SELECT * FROM main.run UNION ALL SELECT * FROM journaled;
    CREATE TEMP TABLE newest (stream, topic, last, PRIMARY KEY (stream, topic));
    CREATE TEMP TABLE behind (stream PRIMARY KEY, next);
  `);
  const merged = new Statements(db);
  for (const [id, , next] of streams) showTopics(merged, id, next);
  db.exec(`
    CREATE TEMP VIEW topic AS
      SELECT stream, topic, last FROM main.topic AS known WHERE NOT EXISTS (
        SELECT 1 FROM newest WHERE newest.stream = known.stream AND newest.topic = known.topic
      ) UNION ALL SELECT stream, topic, last FROM newest;
    CREATE TEMP VIEW stream AS
      SELECT id, name, floor,
        coalesce((SELECT behind.next FROM behind WHERE behind.stream = id), next) AS next
      FROM main.stream;
  `);
}

/** Notes the last message of each topic, of those from `next` on: it is not written of them. */
function showTopics(statements: Statements, id: number, next: number): void {
  const runs = new Runs(statements, true);
  let end = next;
  for (let run = runs.after(id, next - 1); run; run = runs.after(id, run.first)) {
    const frames = runs.frames(run);
    for (let i = 0; i < run.count; i++) {
      const row = [id, frames.topicOf(i), run.first + i];
      statements.run("INSERT OR REPLACE INTO newest VALUES (?, ?, ?)", ...row);
    }
    end = run.first + run.count;
  }
  if (end > next) statements.run("INSERT INTO behind VALUES (?, ?)", id, end);
}
