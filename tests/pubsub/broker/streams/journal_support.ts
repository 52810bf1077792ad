/**
 * Engines with a journal: over files that are copied as a crash would leave them, and over memory
 * that is only kept when it was synced.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { openWriter } from "../../../../lib/sqlite/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import {
  Journal,
  type JournalFile,
} from "../../../../lib/pubsub/broker/streams/sqlite/journal/journal.ts";
import {
  JOURNAL_BYTES,
  journalHead,
} from "../../../../lib/pubsub/broker/streams/sqlite/journal/layout.ts";
import { makeJournal } from "../../../../lib/pubsub/broker/streams/sqlite/journal/make_journal.ts";
import {
  contentFor,
  contentOf,
  firstSaltOf,
  readJournal,
  saltOf,
  storeJournal,
} from "../../../../lib/pubsub/broker/streams/sqlite/journal/reading.ts";
import type { OpenJournal } from "../../../../lib/pubsub/broker/streams/sqlite/journal/journaling.ts";
import { Replay } from "../../../../lib/pubsub/broker/streams/sqlite/replay.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { appendOrder, messagesIn, publication, UNLIMITED } from "./support.ts";

/** A journal's file in memory: a crash may take what was not synced. */
export class MemoryFile implements JournalFile {
  /** What the file holds; and what the disk has of it. */
  readonly bytes: Uint8Array = new Uint8Array(JOURNAL_BYTES);
  readonly #unsynced: { readonly at: number; readonly before: Uint8Array }[] = [];
  /** What the next writes and syncs fail with. */
  writeError: Error | undefined;
  syncError: Error | undefined;

  constructor() {
    this.bytes.set(journalHead());
  }

  write(bytes: Uint8Array, at: number): void {
    if (this.writeError) throw this.writeError;
    this.#unsynced.push({ at, before: this.bytes.slice(at, at + bytes.length) });
    this.bytes.set(bytes, at);
  }

  sync(): void {
    if (this.syncError) throw this.syncError;
    this.#unsynced.length = 0;
  }

  /** The power is cut: of each write that was not synced, only so many of its first bytes stay. */
  cutPower(kept: (bytes: number) => number): void {
    for (const { at, before } of this.#unsynced.reverse()) {
      const stays = kept(before.length);
      this.bytes.set(before.subarray(stays), at + stays);
    }
    this.#unsynced.length = 0;
  }

  close(): void {}
}

/** An engine over a database and a file in memory, after a crash. */
export function engineOver(db: DatabaseSync, file: MemoryFile): StreamEngine {
  storeJournal(db, "", contentOf(file.bytes, saltOf(db)));
  return new StreamEngine(db, { openJournal: (salt) => new Journal(file, salt) });
}

/** A store in a folder, without threads. */
export class FolderStore implements Disposable {
  readonly db: DatabaseSync;
  readonly engine: StreamEngine;
  readonly #folder: string;
  now: number;

  /** Opens it, and makes it if there is none. */
  constructor(folder: string, now = 1_000_000, open?: OpenJournal) {
    this.#folder = folder;
    this.now = now;
    const path = `${folder}/socktool.db`;
    this.db = openWriter(path, { schema: STREAM_SCHEMA });
    const image = readJournal(path);
    storeJournal(this.db, path, contentFor(this.db, image));
    const openJournal = open ?? ((salt: number) => makeJournal(path, salt));
    const leftSalt = image && firstSaltOf(image);
    this.engine = new StreamEngine(this.db, { path, openJournal, leftSalt });
    if (this.engine.figures().length > 0) return;
    this.engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], now);
  }

  /** Stores messages, each with its content as id, in one batch. @returns what became of them. */
  append(...contents: readonly string[]): readonly unknown[] {
    const frames = contents.map((text) => publication("orders.a", text, { "msg-id": text }));
    const { results: [result] } = this.engine.perform([appendOrder("orders", ...frames)], this.now);
    return "value" in result! ? result.value as readonly unknown[] : [result];
  }

  /** Writes to the database what only the journal has, without waiting for the disk. */
  save(): void {
    this.engine.perform([{ kind: "save", stream: "orders" }], this.now);
  }

  /** The contents that the database has, by their numbers. */
  get contents(): Record<number, string> {
    const replay = new Replay(this.db);
    const place = { stream: "orders", sid: 1, topic: undefined, runs: false, lastUntil: 0 };
    const found: Record<number, string> = {};
    for (let next = 1;;) {
      const part = replay.read({ ...place, next })!;
      for (const message of messagesIn(part.bytes)) {
        found[message.header["seq"] as number] = message.text();
      }
      if (part.next === next) return found;
      next = part.next;
    }
  }

  /** Copies all files as they are at this moment, as a process that is killed leaves them. */
  copyTo(folder: string): string {
    Deno.mkdirSync(folder);
    for (const name of ["socktool.db", "socktool.db-wal", "socktool.journal"]) {
      try {
        Deno.copyFileSync(`${this.#folder}/${name}`, `${folder}/${name}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return folder;
  }

  [Symbol.dispose](): void {
    this.engine.finish(this.now);
    this.db.close();
  }
}
