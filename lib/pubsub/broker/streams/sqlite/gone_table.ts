import { type GoneMarks, isGone, type Runs, type StoredRun } from "./runs.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

interface Marked {
  readonly run: StoredRun;
  readonly marks: GoneMarks;
}

/** Takes messages out of the middle of streams. A run goes once all of it is gone. */
export class GoneTable {
  readonly #statements: Statements;
  readonly #runs: Runs;
  readonly #changed = new Map<number, Marked>();

  /** Over the connection that writes. */
  constructor(statements: Statements, runs: Runs) {
    this.#statements = statements;
    this.#runs = runs;
  }

  /** What is gone out of a run, including marks that are not written yet. */
  marksOf(run: StoredRun): GoneMarks | undefined {
    return this.#changed.get(run.id)?.marks ?? this.#runs.gone(run);
  }

  /** Whether a message is kept. It must not be in the open run. */
  has(stream: StreamRecord, seq: number): boolean {
    if (seq < stream.floor) return false;
    const run = this.#runs.at(stream.id, seq);
    return run !== undefined && run.first <= seq && !isGone(this.marksOf(run), seq - run.first);
  }

  /** Marks a message as gone. It must not be in the open run. */
  mark(stream: StreamRecord, seq: number): void {
    if (!this.has(stream, seq)) return;
    const run = this.#runs.at(stream.id, seq)!;
    const marked = this.#changed.get(run.id) ?? { run, marks: this.#marksToChange(run) };
    const index = seq - run.first;
    const size = this.#runs.frames(run).sizeOf(index);
    marked.marks.bits[index >> 3]! |= 1 << (index & 7);
    marked.marks.count++;
    marked.marks.bytes += size;
    this.#changed.set(run.id, marked);
    stream.touch();
    stream.count--;
    stream.bytes -= size;
  }

  /** Writes what was marked. */
  save(): void {
    for (const [id, { run, marks }] of this.#changed) {
      if (marks.count === run.count) this.remove(id);
      else {
        const { count, bytes, bits } = marks;
        this.#statements.run(
          "INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)",
          id,
          count,
          bytes,
          bits,
        );
      }
    }
    this.#changed.clear();
  }

  /** Removes a run's row. */
  remove(id: number): void {
    this.#statements.run("DELETE FROM run WHERE id = ?", id);
    this.#statements.run("DELETE FROM gone WHERE run = ?", id);
    this.#changed.delete(id);
  }

  /** Forgets what was marked and not written. */
  rollBack(): void {
    this.#changed.clear();
  }

  #marksToChange(run: StoredRun): GoneMarks {
    const known = this.#runs.gone(run);
    if (known) return { ...known, bits: known.bits.slice() };
    return { count: 0, bytes: 0, bits: new Uint8Array((run.count + 7) >> 3) };
  }
}
