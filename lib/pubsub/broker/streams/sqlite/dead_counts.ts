import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Topics whose letters are counted. */
const MAX_TOPICS = 20_000;

const COUNT = "SELECT count(*) FROM kept WHERE stream = ? AND topic = ? AND seq >= ?";
const COUNT_BETWEEN = "SELECT topic, count(*) FROM kept " +
  "WHERE stream = ? AND seq >= ? AND seq < ? GROUP BY topic";

/**
 * How many dead letters there are on each topic. SQLite counts those of a topic when they are first
 * asked for, which takes 50 ms for a million; from then on they are counted as they come and go.
 */
export class DeadCounts {
  readonly #statements: Statements;
  readonly #known = new Map<string, number>();

  /** @param statements Those of the connection that writes. */
  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** How many letters a topic has. The rows of all letters must have been written. */
  of(dead: StreamRecord, topic: string): number {
    let count = this.#known.get(topic);
    if (count === undefined) {
      if (this.#known.size >= MAX_TOPICS) this.#known.clear();
      [count] = this.#statements.row<[number]>(COUNT, dead.id, topic, dead.floor)!;
      this.#known.set(topic, count);
    }
    return count;
  }

  /** Whether the letters on a topic have been counted. */
  knows(topic: string): boolean {
    return this.#known.has(topic);
  }

  /** Counts letters that came on a topic; a negative number, if they went. */
  add(topic: string, count: number): void {
    const known = this.#known.get(topic);
    if (known !== undefined) this.#known.set(topic, known + count);
  }

  /** The letters with these numbers are dropped. To be called before their rows are deleted. */
  dropped(dead: StreamRecord, from: number, before: number): void {
    if (this.#known.size === 0) return;
    const rows = this.#statements.rows<[string, number]>(COUNT_BETWEEN, dead.id, from, before);
    for (const [topic, count] of rows) this.add(topic, -count);
  }

  /** Counts anew: what came and went since the last commit is taken back. */
  rollBack(): void {
    this.#known.clear();
  }
}
