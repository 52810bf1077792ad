import type { SqliteSchema } from "../../../../sqlite/mod.ts";

/** The name of the database in the folder of a store. */
export const DATABASE_NAME = "socktool.db";

/** A run is closed once it has this many bytes of frames. One larger frame is a run by itself. */
export const RUN_BYTES = 65_536;

/**
 * The tables. `run` holds the frames, many in a row; all messages of a run were committed at one
 * time. What is gone out of the middle of a run has a bit in `gone`. `kept` lists the messages of
 * streams with a limit for each topic, and the dead letters.
 *
 * The rows of `stream`, `topic` and `recent_id` may be behind: what they do not tell of messages from
 * `stream.next` on is found out from these. The fourth version changes no table, and keeps programs
 * away that do not know this; the fifth those that do not know the journal, whose salt is in
 * `counter`.
 */
export const STREAM_SCHEMA: SqliteSchema = {
  applicationId: 0x736b_7473,
  migrations: [
    `
    CREATE TABLE stream (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      settings TEXT NOT NULL,
      floor INTEGER NOT NULL,
      next INTEGER NOT NULL,
      count INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      time INTEGER NOT NULL
    );
    CREATE TABLE doomed (stream INTEGER PRIMARY KEY);
    CREATE TABLE run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      stream INTEGER NOT NULL,
      first INTEGER NOT NULL,
      count INTEGER NOT NULL,
      time INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      crc INTEGER NOT NULL,
      frames BLOB NOT NULL
    );
    CREATE UNIQUE INDEX run_first ON run (stream, first);
    CREATE TABLE gone (
      run INTEGER PRIMARY KEY,
      count INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      bits BLOB NOT NULL
    );
    CREATE TABLE topic (
      stream INTEGER NOT NULL,
      topic TEXT NOT NULL,
      last INTEGER NOT NULL,
      PRIMARY KEY (stream, topic)
    ) WITHOUT ROWID;
    CREATE INDEX topic_last ON topic (stream, last);
    CREATE TABLE kept (
      stream INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      topic TEXT NOT NULL,
      PRIMARY KEY (stream, seq)
    ) WITHOUT ROWID;
    CREATE INDEX kept_topic ON kept (stream, topic, seq);
    CREATE TABLE message_id (
      stream INTEGER NOT NULL,
      bucket INTEGER NOT NULL,
      id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      time INTEGER NOT NULL,
      PRIMARY KEY (stream, bucket, id)
    ) WITHOUT ROWID;
    CREATE TABLE consumer (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      stream INTEGER NOT NULL,
      name TEXT NOT NULL,
      settings TEXT NOT NULL,
      position INTEGER NOT NULL,
      redrive INTEGER NOT NULL,
      entries BLOB NOT NULL,
      UNIQUE (stream, name)
    );
    CREATE TABLE retained (topic TEXT PRIMARY KEY, frame BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    `,
    `
    CREATE TABLE recent_id (
      stream INTEGER NOT NULL,
      last INTEGER NOT NULL,
      time INTEGER NOT NULL,
      ids TEXT NOT NULL,
      PRIMARY KEY (stream, last)
    ) WITHOUT ROWID;
    `,
    // Where each frame of a run ends, four bytes each; NULL in rows that were written before.
    `
    ALTER TABLE run ADD COLUMN ends BLOB;
    `,
    "",
    "",
  ],
};
