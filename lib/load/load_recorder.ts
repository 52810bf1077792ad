import type { WireOutcome } from "./exchange/wire.ts";
import type { Run } from "./run_queue.ts";
import type { Tally } from "./tally.ts";

/**
 * Records what becomes of each message, into one tally. Every message that is due ends as answered,
 * unanswered or not sent, and its latency counts in each case: that of one without an answer is how
 * long it has waited so far. Messages that were due before the end of the warm-up do not count.
 */
export class LoadRecorder {
  /** The end of the warm-up. */
  measureAt = Infinity;
  /** When the last answer came; before any, `-Infinity`. */
  lastAnswerAt = -Infinity;
  /** Messages that were due and have not come to their end. */
  outstanding = 0;
  readonly #tally: Tally;
  /** Whether waiting for a connection and the service are told apart. */
  readonly #openLoop: boolean;

  /** Records into the tally, which others may clear. */
  constructor(tally: Tally, openLoop: boolean) {
    this.#tally = tally;
    this.#openLoop = openLoop;
  }

  /** Messages are due, and given to a connection at `now`. */
  due(dueAt: number, count: number, now: number): void {
    this.outstanding += count;
    if (dueAt < this.measureAt) return;
    this.#tally.due += count;
    this.#tally.generatorLateUs += (now - dueAt) * 1_000 * count;
  }

  /** The time, where sending has one of its own: a closed loop sends at once. */
  sendingAt(): number {
    return this.#openLoop ? performance.now() : 0;
  }

  /** Sending the messages of a run begins, at a time of {@linkcode LoadRecorder.sendingAt}. */
  sending(run: Run, now: number): void {
    const { dueAt, count } = run;
    run.sentAt = now || dueAt;
    if (dueAt < this.measureAt) return;
    this.#tally.sent += count;
    if (this.#openLoop) this.#tally.wait.record(now - dueAt, count);
  }

  /** Messages have been answered: `bytes` are those of all of them. */
  answered(run: Run, count: number, bytes: number, now: number, outcome?: WireOutcome): void {
    this.outstanding -= count;
    if (run.dueAt < this.measureAt) return;
    this.#tally.messages += count;
    this.#answer(run, count, bytes, now, outcome);
  }

  /** One of several answers of a message has come, not the last one. */
  partlyAnswered(run: Run, bytes: number, now: number, outcome?: WireOutcome): void {
    if (run.dueAt >= this.measureAt) this.#answer(run, 1, bytes, now, outcome);
  }

  /** The messages of a run are given up. */
  gaveUp(run: Run, now: number): void {
    const { dueAt, sentAt, count, answers } = run;
    this.outstanding -= count;
    if (dueAt < this.measureAt) return;
    const tally = this.#tally;
    tally.failed(sentAt > 0 ? "unanswered" : "not-sent", count);
    tally.latency.record(now - dueAt, count * answers);
    if (!this.#openLoop) return;
    if (sentAt > 0) tally.service.record(now - sentAt, count * answers);
    else tally.wait.record(now - dueAt, count);
  }

  /** Messages that are due, and that no connection is left for. */
  neverSent(count: number): void {
    this.#tally.due += count;
    this.#tally.failed("not-sent", count);
  }

  #answer(run: Run, count: number, bytes: number, now: number, outcome?: WireOutcome): void {
    const tally = this.#tally;
    tally.answers += count;
    tally.bytes += bytes;
    tally.latency.record(now - run.dueAt, count);
    if (this.#openLoop) tally.service.record(now - run.sentAt, count);
    this.lastAnswerAt = now;
    if (outcome === undefined) return;
    const { kind, wrong } = outcome;
    if (kind !== undefined) tally.kind(kind).latency.record(now - run.dueAt, count);
    if (wrong === undefined) return;
    tally.failed(wrong.code, count);
    tally.wrongAnswer(wrong.text, count);
    if (kind !== undefined) tally.kind(kind).errors += count;
  }
}
