import type { Statements } from "./statements.ts";

/** So much goes into the log before it is written back to the database. */
const STEP_BYTES = 1_048_576;

/** What a commit writes beside publications, about. */
const COMMIT_BYTES = 16_384;

/**
 * Writes the log of commits back to the database in small steps. SQLite does that by itself, within a
 * commit and all at once: for 16 MiB whoever waits for that commit, or for the next one, waits for
 * some tenths of a second on a slow disk.
 */
export class LogSteps {
  readonly #statements: Statements;
  #bytes = 0;

  /** Over the connection that writes. */
  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Notes a commit. @param bytes Of the publications in it. */
  committed(bytes: number): void {
    this.#bytes += bytes + COMMIT_BYTES;
  }

  /** Whether there is enough for a step. */
  get isDue(): boolean {
    return this.#bytes >= STEP_BYTES;
  }

  /** Does a step. @throws {Error} what SQLite says where the disk cannot take it. */
  step(): void {
    this.#bytes = 0;
    this.#statements.row("PRAGMA wal_checkpoint(PASSIVE)");
  }
}
