import { type EncodedLatencies, type HistogramLibrary, Latencies } from "./latencies.ts";
import type { LoadErrorCounts, LoadErrorKind } from "./load_error.ts";

/** A tally in the form that is sent between threads. */
export interface EncodedTally {
  readonly messages: number;
  readonly bytes: number;
  readonly errors: LoadErrorCounts;
  readonly latency: EncodedLatencies;
  readonly service: EncodedLatencies;
  readonly lateness: EncodedLatencies;
}

/** Counts and latencies of a stretch of time. */
export class Tally {
  /** Messages that came back. */
  messages = 0;
  /** Bytes of those messages. */
  bytes = 0;
  /** Errors by kind. */
  errors: { [K in LoadErrorKind]?: number } = {};
  /** From when a message was due (in a closed loop: sent) until its last byte came back. */
  readonly latency: Latencies;
  /** Open loop: from when a message was sent until its last byte came back. */
  readonly service: Latencies;
  /** Open loop: from when a message was due until it was sent. */
  readonly lateness: Latencies;

  /** Makes an empty tally. */
  constructor(library: HistogramLibrary) {
    this.latency = new Latencies(library);
    this.service = new Latencies(library);
    this.lateness = new Latencies(library);
  }

  /** How many errors there were, of all kinds. */
  get errorCount(): number {
    return Object.values(this.errors).reduce((sum, count) => sum + count, 0);
  }

  /** Counts errors. */
  failed(kind: LoadErrorKind, count = 1): void {
    this.errors[kind] = (this.errors[kind] ?? 0) + count;
  }

  /** Adds the counts of another tally. */
  add(other: Tally): void {
    this.messages += other.messages;
    this.bytes += other.bytes;
    this.latency.add(other.latency);
    this.service.add(other.service);
    this.lateness.add(other.lateness);
    for (const [kind, count] of Object.entries(other.errors)) {
      this.failed(kind as LoadErrorKind, count);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.messages = this.bytes = 0;
    this.errors = {};
    this.latency.clear();
    this.service.clear();
    this.lateness.clear();
  }

  /** The form to send to another thread. */
  encode(): EncodedTally {
    const { messages, bytes, errors, latency, service, lateness } = this;
    return {
      messages,
      bytes,
      errors,
      latency: latency.encode(),
      service: service.encode(),
      lateness: lateness.encode(),
    };
  }

  /** Adds the counts of a tally that another thread sent. */
  addEncoded(library: HistogramLibrary, encoded: EncodedTally): void {
    this.messages += encoded.messages;
    this.bytes += encoded.bytes;
    this.latency.add(Latencies.decode(library, encoded.latency));
    this.service.add(Latencies.decode(library, encoded.service));
    this.lateness.add(Latencies.decode(library, encoded.lateness));
    for (const [kind, count] of Object.entries(encoded.errors)) {
      this.failed(kind as LoadErrorKind, count);
    }
  }
}
