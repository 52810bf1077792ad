import type { DatabaseSync } from "node:sqlite";
import type { DiskReserve } from "./disk_reserve.ts";
import type { LogSteps } from "./log_steps.ts";
import type { Statements } from "./statements.ts";
import type { KeptInMemory } from "./tables.ts";

/** A page of the database. */
const PAGE_BYTES = 4_096;

/** Room is looked for no more often than this. */
const LOOK_MS = 1_000;

/**
 * The disk space that is reserved for when the disk is full. It covers what the log may need, which is
 * 16 MiB that are not written back to the database and one commit more, and what the journal may have.
 * A small database needs less.
 */
const LEAST_BYTES = 1_048_576;
const MOST_BYTES = 25_165_824;

/** What is held beyond the size of the database: the journal may have a part of it. */
const SPARE_MEGABYTES = 4;

/** How much room there must be beside the reserve before the database grows again. */
const MARGIN_BYTES = 1_048_576;

/**
 * What the database may grow by on a full disk, without publications: acknowledgements take little.
 * What is known of messages and was not written yet comes to it.
 */
const SLACK_PAGES = 64;

/** What the log may hold that is not written back to the database. */
const LOG_BYTES = 16_777_216;

/** Bytes of the journal are written twice more, to the log and to the database; pages are not all full. */
const PROMISE_FACTOR = 2.5;

/** The largest database. */
const MAX_PAGES = 2 ** 32 - 2;

/**
 * What a store does where the disk is full. Then the log cannot grow, so nothing can be changed any
 * more, not even to make room: for that a reserve is held. Once it is given up, the database does not
 * grow: what is dropped makes room for what is published, and the log stays within the reserve.
 */
export class DiskRoom {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #log: LogSteps;
  readonly #reserve: DiskReserve | undefined;
  readonly #maxPages: number;
  /** How many pages the database had when the disk was full; `undefined` while it is not. */
  #pages: number | undefined;
  #lookedAt = -Infinity;
  /** Bytes of publications since the reserve was looked at; it is at the first. */
  #written = LEAST_BYTES;
  #limit: number;
  /** By how many pages of what was accepted before the database may grow in this commit. */
  #granted = 0;
  /** What writing the log back may add to the database. */
  #logBytes = 0;

  /** @param maxPages The largest size of the database, in pages, as its connection has it. */
  constructor(
    db: DatabaseSync,
    statements: Statements,
    log: LogSteps,
    reserve: DiskReserve | undefined,
    maxPages: number = MAX_PAGES,
  ) {
    this.#db = db;
    this.#statements = statements;
    this.#log = log;
    this.#reserve = reserve;
    this.#maxPages = this.#limit = maxPages;
  }

  /**
   * Notes that publications were committed, and reserves what a database of this size may need; where
   * the disk has no room for it, the log is kept short.
   */
  written(bytes: number): void {
    this.#logBytes = Math.min(LOG_BYTES, this.#count() * PAGE_BYTES);
    this.#written += bytes;
    if (this.#written < LEAST_BYTES || this.#pages !== undefined) return;
    const reserve = this.#reserve;
    const missing = reserve ? this.#due() - reserve.bytes : 0;
    // One after the other: a mebibyte takes some milliseconds.
    const isHeld = missing <= 0 || reserve!.hold(reserve!.bytes + Math.min(LEAST_BYTES, missing));
    if (!isHeld) this.#writeBack();
    if (!isHeld || missing <= LEAST_BYTES) this.#written = 0;
  }

  /**
   * Makes room after a commit that found none.
   *
   * @returns whether trying again may help.
   */
  make(now: number): boolean {
    const reserve = this.#reserve;
    const isFull = reserve !== undefined && this.#count() < this.#maxPages;
    if (isFull && this.#pages === undefined) {
      reserve.release();
      this.#writeBack();
      this.#pages = this.#count();
      this.#lookedAt = now;
      return true;
    }
    // Looking for room takes some milliseconds each time.
    const isLook = now < this.#lookedAt || now >= this.#lookedAt + LOOK_MS;
    if (isLook) this.#lookedAt = now;
    else if (this.#pages === undefined) return false;
    this.#writeBack();
    if (this.#pages === undefined || isLook && this.#grow()) return true;
    // Where something was dropped, the log had no room.
    return this.#statements.row<[number]>("PRAGMA freelist_count")![0] > 0;
  }

  /** Has the database grow again, if there is room for that and for the reserve. */
  #grow(): boolean {
    const reserve = this.#reserve!;
    const due = this.#due();
    if (!reserve.hold(due + MARGIN_BYTES)) return false;
    reserve.hold(due);
    this.#pages = undefined;
    return true;
  }

  /**
   * Whether the disk will have room for these bytes of publications when the journal's rows are written
   * to the database, as far as can be told now.
   */
  has(bytes: number): boolean {
    if (this.#pages !== undefined) return false;
    if (this.#reserve && this.#reserve.bytes < this.#logBytes + PROMISE_FACTOR * bytes) {
      return false;
    }
    if (this.#maxPages === MAX_PAGES) return true;
    const free = this.#statements.row<[number]>("PRAGMA freelist_count")![0];
    return this.#count() - free + pagesOf(bytes) + SLACK_PAGES <= this.#maxPages;
  }

  /**
   * Called before a commit.
   *
   * @param publishes Whether it stores publications.
   * @param promised The bytes of those that it stores and that were accepted before.
   * @param kept What else it may have to write.
   */
  begin(publishes: boolean, promised: number, { messages, entries }: KeptInMemory): void {
    this.#granted = pagesOf(promised) + (publishes ? 0 : pagesOf(messages));
    const more = this.#granted + (publishes ? 0 : SLACK_PAGES + pagesOf(entries));
    const limit = this.#pages === undefined
      ? this.#maxPages
      : Math.min(this.#maxPages, this.#pages + more);
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#db.exec(`PRAGMA max_page_count = ${limit}`);
  }

  /** The commit was made: what was accepted before has its room. */
  committed(): void {
    if (this.#pages === undefined || this.#granted === 0) return;
    this.#pages = Math.max(this.#pages, Math.min(this.#pages + this.#granted, this.#count()));
  }

  /** Whether the disk was full when that was looked at last. */
  get isFull(): boolean {
    return this.#pages !== undefined;
  }

  #due(): number {
    const megabytes = SPARE_MEGABYTES + Math.ceil(this.#count() * PAGE_BYTES / LEAST_BYTES);
    return Math.min(MOST_BYTES, megabytes * LEAST_BYTES);
  }

  #count(): number {
    return this.#statements.row<[number]>("PRAGMA page_count")![0];
  }

  /** Writes the log back to the database, and gives its room on the disk back. */
  #writeBack(): void {
    try {
      this.#log.empty();
    } catch {
      // What could be written back was; the rest needs more room.
    }
  }
}

/** What messages take in rows of the database, at most. */
function pagesOf(bytes: number): number {
  return bytes === 0 ? 0 : Math.ceil(1.25 * bytes / PAGE_BYTES) + SLACK_PAGES;
}
