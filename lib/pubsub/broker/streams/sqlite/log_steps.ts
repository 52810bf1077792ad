import type { LogWriter } from "./log_writer.ts";
import type { Statements } from "./statements.ts";

/** How much goes into the log before it is written back to the database. */
const STEP_BYTES = 1_048_576;

/**
 * A log of this size is written back by the thread that commits. The file begins again only if all of it
 * is written back before the next commit.
 */
const MOST_BYTES = 2_097_152;

/** What a commit writes beside publications, about. */
const COMMIT_BYTES = 16_384;

/** How long a commit waits for a step of the other thread, and how often before it is given up. */
const WAIT_MS = 1_000;
const MAX_WAITS = 30;

/**
 * Writes the log of commits back to the database in small steps. SQLite does that by itself, within a
 * commit and all at once: for 16 MiB whoever waits for that commit, or for the next one, waits for
 * some tenths of a second on a slow disk.
 *
 * A step waits for the disk twice, which takes milliseconds, sometimes many. So another thread does it,
 * if there is one. It cannot keep up with commits that follow each other without a pause: the log begins
 * again only if no commit comes between the end of a step and the next one. Then the thread that commits
 * writes back the rest.
 */
export class LogSteps {
  readonly #statements: Statements;
  readonly #writer: LogWriter | undefined;
  /** Bytes that came since the last step began, and since the log began. */
  #bytes = 0;
  #logBytes = 0;
  #isStepping = false;
  #waits = 0;
  /** Whether the other thread does not answer any more. */
  #isLost = false;
  /** What its last step failed with, until that is told. */
  #failure: Error | undefined;

  /** @param statements Those of the connection that writes. @param writer The other thread, if any. */
  constructor(statements: Statements, writer?: LogWriter) {
    this.#statements = statements;
    this.#writer = writer;
  }

  /** Notes a commit. @param bytes Of the publications in it. */
  committed(bytes: number): void {
    this.#bytes += bytes + COMMIT_BYTES;
    this.#logBytes += bytes + COMMIT_BYTES;
  }

  /** Whether another thread does a step: a commit would keep the log from beginning again. */
  get isWorking(): boolean {
    return this.#isStepping && !this.#isLost;
  }

  /**
   * Does a step, if there is enough for one.
   *
   * @param isIdle Whether nobody waits for the next commit.
   * @throws {Error} what SQLite says where that fails.
   */
  step(isIdle: boolean): void {
    if (this.isWorking && !this.#finished(this.#logBytes >= MOST_BYTES ? WAIT_MS : 0)) return;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
    // What came during a step is written back as well, so that the log begins again.
    const enough = isIdle ? 1 : STEP_BYTES;
    if (this.#bytes < enough || this.#logBytes < STEP_BYTES) return;
    this.#bytes = 0;
    // Beside busy processes it takes a second until the thread is there; commits would wait for it.
    if (this.#writer?.isOver() && !this.#isLost && this.#logBytes < MOST_BYTES) {
      this.#isStepping = true;
      return this.#writer.begin();
    }
    this.#logBytes = 0;
    this.#statements.row("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Writes all back, and makes the log's file empty. @throws {Error} if that fails. */
  empty(): void {
    if (this.isWorking) this.#finished(WAIT_MS);
    this.#statements.row("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Ends the other thread. */
  close(): void {
    this.#writer?.close();
  }

  /** Whether the other thread's step is over. @param waitMs How long to wait for its end; 0 only looks. */
  #finished(waitMs: number): boolean {
    if (!this.#writer!.isOver(waitMs)) {
      if (waitMs > 0) this.#isLost = ++this.#waits >= MAX_WAITS;
      return false;
    }
    this.#isStepping = false;
    this.#waits = 0;
    this.#failure = this.#writer!.failure;
    if (this.#failure === undefined && this.#bytes === 0) this.#logBytes = 0;
    return true;
  }
}
