import { MAX_NAMED } from "../limits.ts";
import type {
  BrokenRecord,
  DuplicateKey,
  IndexSummary,
  ObserverEvent,
  SkippedFile,
} from "../observer.ts";

const PROGRESS_INTERVAL_MS = 100;

/** Counts what a pass over the data does, and tells of it without flooding whoever listens. */
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

  /** A pass begins. */
  start(): void {
    this.counts = noCounts();
    this.totalBytes =
      this.#doneBytes =
      this.#entries =
      this.#named =
        0;
    this.#startedMs = this.#toldMs = performance.now();
  }

  /** A file is looked into. */
  startFile(path: string): void {
    this.#path = path;
  }

  /** So many bytes more are done. */
  advance(bytes: number): void {
    this.#doneBytes += bytes;
    if (performance.now() - this.#toldMs >= PROGRESS_INTERVAL_MS) this.#tellProgress();
  }

  /** One record more was taken in. */
  taken(): void {
    this.#entries++;
  }

  /** A file is left out. */
  skipped(event: SkippedFile): void {
    this.counts.skipped++;
    if (this.#isNamed()) this.#emit({ name: "skippedFile", event });
  }

  /** A record is left out. */
  broken(event: BrokenRecord): void {
    this.counts.broken++;
    if (this.#isNamed()) this.#emit({ name: "brokenRecord", event });
  }

  /** A key occurs again. */
  duplicate(event: DuplicateKey): void {
    this.counts.duplicates++;
    if (this.#isNamed()) this.#emit({ name: "duplicateKey", event });
  }

  /** The pass is complete. @param records How many records there are. */
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
    // A file that grew while it was read must not show more than all.
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
  return { added: 0, updated: 0, removed: 0, filesRead: 0, skipped: 0, broken: 0, duplicates: 0 };
}
