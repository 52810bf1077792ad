import { type EncodedLatencies, type HistogramLibrary, Latencies } from "../base/latencies.ts";
import type { LoadErrorCounts, LoadErrorKind } from "./load_error.ts";

/** The most kinds of requests, and of wrong answers, that are told apart. */
const MAX_KINDS = 64;
const MAX_WRONG_ANSWERS = 16;

/** What stands for those beyond them. */
const OTHERS = "others";

/** Plain counts of a tally. */
const COUNTS = ["due", "sent", "messages", "bytes", "answers", "generatorLateUs"] as const;

/** The distributions of a tally. */
const DISTRIBUTIONS = ["latency", "service", "wait"] as const;

/** A tally in the form that is sent between threads. */
export interface EncodedTally {
  readonly counts: Readonly<Record<typeof COUNTS[number], number>>;
  readonly errors: LoadErrorCounts;
  readonly distributions: Readonly<Record<typeof DISTRIBUTIONS[number], EncodedLatencies>>;
  readonly wrongAnswers: readonly (readonly [text: string, count: number])[];
  readonly kinds: readonly (readonly [kind: string, errors: number, latency: EncodedLatencies])[];
}

/** The requests of one kind. */
export interface KindTally {
  /** How many of their answers were wrong. */
  errors: number;
  /** Their latencies. */
  readonly latency: Latencies;
}

/** Counts and latencies of a stretch of time. */
export class Tally {
  /** Messages that were due. */
  due = 0;
  /** Messages of which sending began. */
  sent = 0;
  /** Messages that were answered. */
  messages = 0;
  /** Bytes of their answers. */
  bytes = 0;
  /** Answers: more than messages where a message has several. */
  answers = 0;
  /** How long messages waited, when they were due, for this program to look at them. */
  generatorLateUs = 0;
  /** Errors by kind. */
  errors: { [K in LoadErrorKind]?: number } = {};
  /** Answers that were wrong, by what they were, shortened. */
  readonly wrongAnswers = new Map<string, number>();
  /** Requests by kind, where an exchange tells it. */
  readonly kinds = new Map<string, KindTally>();
  /** From when a message was due (in a closed loop: sent) until it was answered or given up. */
  readonly latency: Latencies;
  /** Open loop: from when a message was sent until it was answered or given up. */
  readonly service: Latencies;
  /** Open loop: from when a message was due until it was sent. */
  readonly wait: Latencies;
  readonly #library: HistogramLibrary;

  /** Makes an empty tally. */
  constructor(library: HistogramLibrary) {
    this.#library = library;
    this.latency = new Latencies(library);
    this.service = new Latencies(library);
    this.wait = new Latencies(library);
  }

  /** How many errors there were, of all kinds. */
  get errorCount(): number {
    return Object.values(this.errors).reduce((sum, count) => sum + count, 0);
  }

  /** Counts errors. */
  failed(kind: LoadErrorKind, count = 1): void {
    if (count > 0) this.errors[kind] = (this.errors[kind] ?? 0) + count;
  }

  /** Counts answers that were wrong, by what they were. */
  wrongAnswer(text: string, count = 1): void {
    const all = this.wrongAnswers;
    const key = all.has(text) || all.size < MAX_WRONG_ANSWERS ? text : OTHERS;
    all.set(key, (all.get(key) ?? 0) + count);
  }

  /** The tally of a kind of request. */
  kind(name: string): KindTally {
    const key = this.kinds.has(name) || this.kinds.size < MAX_KINDS ? name : OTHERS;
    let kind = this.kinds.get(key);
    if (!kind) this.kinds.set(key, kind = { errors: 0, latency: new Latencies(this.#library) });
    return kind;
  }

  /** Adds the counts of another tally. */
  add(other: Tally): void {
    for (const name of COUNTS) this[name] += other[name];
    for (const name of DISTRIBUTIONS) this[name].add(other[name]);
    this.#addErrors(other.errors);
    for (const [text, count] of other.wrongAnswers) this.wrongAnswer(text, count);
    for (const [name, { errors, latency }] of other.kinds) this.#addKind(name, errors, latency);
  }

  /** Forgets everything. */
  clear(): void {
    for (const name of COUNTS) this[name] = 0;
    for (const name of DISTRIBUTIONS) this[name].clear();
    this.errors = {};
    this.wrongAnswers.clear();
    this.kinds.clear();
  }

  /** The form to send to another thread. */
  encode(): EncodedTally {
    const record = <N extends string, V>(names: readonly N[], valueOf: (name: N) => V) =>
      Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<N, V>;
    return {
      counts: record(COUNTS, (name) => this[name]),
      errors: this.errors,
      distributions: record(DISTRIBUTIONS, (name) => this[name].encode()),
      wrongAnswers: [...this.wrongAnswers],
      kinds: Array.from(
        this.kinds,
        ([name, { errors, latency }]) => [name, errors, latency.encode()],
      ),
    };
  }

  /** Adds the counts of a tally that another thread sent. */
  addEncoded(encoded: EncodedTally): void {
    const decode = (latencies: EncodedLatencies) => Latencies.decode(this.#library, latencies);
    for (const name of COUNTS) this[name] += encoded.counts[name];
    for (const name of DISTRIBUTIONS) this[name].add(decode(encoded.distributions[name]));
    this.#addErrors(encoded.errors);
    for (const [text, count] of encoded.wrongAnswers) this.wrongAnswer(text, count);
    for (const [name, errors, latency] of encoded.kinds) {
      this.#addKind(name, errors, decode(latency));
    }
  }

  #addErrors(errors: LoadErrorCounts): void {
    for (const [kind, count] of Object.entries(errors)) this.failed(kind as LoadErrorKind, count);
  }

  #addKind(name: string, errors: number, latency: Latencies): void {
    const kind = this.kind(name);
    kind.errors += errors;
    kind.latency.add(latency);
  }
}
