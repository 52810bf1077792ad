import { MAX_NAMED } from "../limits.ts";
import type {
  BrokenRecord,
  DataPathEvent,
  DuplicateKey,
  IndexSummary,
  ObserverEvent,
  ReadingNote,
  SkippedFile,
} from "../observer.ts";

const PROGRESS_INTERVAL_MS = 100;

/** Counts what a pass over the data does, and reports it in a bounded number of events. */
export class PassReport {
  /** Bytes to be read in all. */
  totalBytes = 0;
  /** Counts of this pass. */
  counts: ReturnType<typeof noCounts> = noCounts();
  readonly #emit: (event: ObserverEvent) => void;
  #startedMs = 0;
  #toldMs = 0;
  #named = 0;
  #doneBytes = 0;
  #entries = 0;
  #path = "";

  /** @param emit Takes the events. */
  constructor(emit: (event: ObserverEvent) => void) {
    this.#emit = emit;
  }

  /** Begins a pass. */
  start(): void {
    this.counts = noCounts();
    this.totalBytes =
      this.#doneBytes =
      this.#entries =
      this.#named =
        0;
    this.#startedMs = this.#toldMs = performance.now();
  }

  /** Names the file that is being read. */
  startFile(path: string): void {
    this.#path = path;
  }

  /** Counts bytes that were read. */
  advance(bytes: number): void {
    this.#doneBytes += bytes;
    if (performance.now() - this.#toldMs >= PROGRESS_INTERVAL_MS) this.#tellProgress();
  }

  /** Counts a record that was taken in. */
  taken(): void {
    this.#entries++;
  }

  /** Counts a file that is skipped. */
  skipped(event: SkippedFile): void {
    this.counts.skipped++;
    if (this.#isNamed()) this.#emit({ name: "skippedFile", event });
  }

  /** Tells of a data path that is not as it was. */
  dataPath(event: DataPathEvent): void {
    this.#emit({ name: "dataPath", event });
  }

  /** Counts something uncertain about a file that was read. */
  note(event: ReadingNote): void {
    this.counts.notes++;
    if (this.#isNamed()) this.#emit({ name: "readingNote", event });
  }

  /** Counts a record that is skipped. */
  broken(event: BrokenRecord): void {
    this.counts.broken++;
    if (this.#isNamed()) this.#emit({ name: "brokenRecord", event });
  }

  /** Counts a record whose key occurred before. */
  duplicate(event: DuplicateKey): void {
    this.counts.duplicates++;
    if (this.#isNamed()) this.#emit({ name: "duplicateKey", event });
  }

  /** Ends the pass. @param records How many records the data have. */
  finish(records: number): IndexSummary {
    if (this.totalBytes > 0) this.#tellProgress();
    const durationMs = performance.now() - this.#startedMs;
    const unchanged = Math.max(0, records - this.counts.added - this.counts.updated);
    const event = { ...this.counts, unchanged, durationMs };
    this.#emit({ name: "indexed", event });
    return event;
  }

  #isNamed(): boolean {
    return this.#named++ < MAX_NAMED;
  }

  #tellProgress(): void {
    this.#toldMs = performance.now();
    // A file that grew while it was read must not make more than 100 %.
    const totalBytes = Math.max(this.totalBytes, this.#doneBytes);
    const event = {
      doneBytes: this.#doneBytes,
      totalBytes,
      entries: this.#entries,
      path: this.#path,
    };
    this.#emit({ name: "progress", event });
  }
}

function noCounts() {
  return {
    added: 0,
    updated: 0,
    removed: 0,
    filesRead: 0,
    skipped: 0,
    broken: 0,
    duplicates: 0,
    notes: 0,
  };
}
