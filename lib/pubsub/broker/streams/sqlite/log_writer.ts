/**
 * The writing thread's side of the thread that writes the log of commits back.
 *
 * @module
 */
import { AskingEnd } from "../../../../base/threads/shared_line.ts";
import { WorkerThread } from "../../../../base/threads/worker_thread.ts";
import { type FileIdentity, SqliteError, type SqliteErrorCode } from "../../../../sqlite/mod.ts";
import type { LogThreadOrder } from "./log_thread.ts";
import { ERRORS } from "./thread_errors.ts";

/** Room for why a step failed. */
const FAILURE_BYTES = 4_096;

/** A thread that does not answer within this time is given up. */
const GIVE_UP_MS = 10_000;

/** Has the log of commits written back by another thread. */
export class LogWriter {
  readonly #path: string;
  readonly #identity: FileIdentity;
  readonly #line = new AskingEnd(8, FAILURE_BYTES);
  #thread: WorkerThread<LogThreadOrder, never> | undefined;
  /** Whether the thread has answered. Without a free file descriptor it never begins. */
  #isThere = false;

  /** Of a database. @param identity Which file it is. */
  constructor(path: string, identity: FileIdentity) {
    this.#path = path;
    this.#identity = identity;
  }

  /** Starts the thread. It is there when {@linkcode LogWriter.isOver} says so. */
  start(): void {
    const [path, identity, line] = [this.#path, this.#identity, this.#line.line];
    this.#thread = new WorkerThread(new URL("./log_thread.ts", import.meta.url), {
      name: "streams log",
      errors: ERRORS,
      onReport: () => {},
      // It is given up when it does not answer.
      onDied: () => {},
    });
    this.#thread.post({ path, identity, line });
    this.#line.posted();
    this.#ask(0);
  }

  /** Begins a step; the one before must be over. */
  begin(): void {
    this.#ask(0);
  }

  /** Whether no step is under way. @param waitMs How long to wait for its end; 0 only looks. */
  isOver(waitMs = 0): boolean {
    const isOver = this.#line.isAnswered || waitMs > 0 && this.#line.waitForAnswer(waitMs);
    if (isOver && this.#thread) this.#isThere = true;
    return isOver;
  }

  /** Why the last step failed; `undefined` if it was done. */
  get failure(): SqliteError | undefined {
    const { answer } = this.#line;
    if (answer.length === 0) return undefined;
    // Shared memory cannot be decoded.
    const text = new TextDecoder().decode(answer.slice());
    const at = text.indexOf("\n");
    const code = text.slice(0, at) as SqliteErrorCode;
    return new SqliteError(code, this.#path, "write to", text.slice(at + 1));
  }

  /** Waits for the step that is under way, closes the connection and ends the thread. */
  close(): void {
    if (this.#thread === undefined) return;
    if (this.isOver(this.#isThere ? GIVE_UP_MS : 0)) {
      this.#ask(1);
      this.#line.waitForAnswer(GIVE_UP_MS);
    }
    this.#thread.terminate();
  }

  #ask(bytes: number): void {
    if (this.#line.underWay > 0) this.#line.free();
    this.#line.ask(bytes);
  }
}
