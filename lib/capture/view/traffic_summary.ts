import {
  type HistogramLibrary,
  Latencies,
  type LatencyFigures,
  loadHistogramLibrary,
} from "../../base/latencies.ts";
import type { FrameErrorCode } from "../../frame/mod.ts";
import {
  type ConnectionTraffic,
  type FrameEvent,
  type FrameObserver,
  watchFrames,
  type WatchFramesOptions,
} from "../frames/frame_watch.ts";
import type { Direction } from "../../net/direction.ts";
import type { Ending, SeenConnection, TrafficObserver } from "../traffic.ts";

/** At most this many kinds of frames have figures of their own, `other` has those of the rest. */
const MAX_KINDS = 100;

/** At most this many codes of errors are counted by themselves. */
const MAX_ERRORS = 100;

const OTHER = "other";

/** The figures of frames of one kind that went one way. */
export interface KindFigures {
  /** An `op`, the action of a request, `answer`, or a content type. */
  readonly kind: string;
  /** Which way they went. */
  readonly direction: Direction;
  /** How many there were. */
  readonly frames: number;
  /** Their bytes, with their lengths and headers. */
  readonly bytes: number;
  /** From a request's last byte to its answer's first, for those that were answered, in µs. */
  readonly latencyUs: LatencyFigures | undefined;
  /** How many were answered. */
  readonly answered: number;
}

/** What was seen in all. */
export interface TrafficFigures {
  /** Connections that were seen. */
  readonly connections: number;
  /** How the connections ended. */
  readonly endings: Readonly<Record<Ending, number>>;
  /** From the first thing seen to the last, in milliseconds. */
  readonly durationMs: number;
  /** Frames both ways. */
  readonly frames: number;
  /** Bytes both ways. */
  readonly bytes: number;
  /** Bytes that the capture does not have. */
  readonly missingBytes: number;
  /** Bytes in which no frame was found. */
  readonly skippedBytes: number;
  /** Requests that were not answered. */
  readonly unanswered: number;
  /** Broken frames by their code. */
  readonly broken: Readonly<Partial<Record<FrameErrorCode, number>>>;
  /** Errors that were told, by their code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Those with the most frames first. */
  readonly kinds: readonly KindFigures[];
}

/** Adds up what goes over connections. */
export class TrafficSummary implements Required<FrameObserver> {
  readonly #library: HistogramLibrary;
  readonly #kinds = new Map<string, KindCount>();
  readonly #endings: Record<Ending, number> = { closed: 0, reset: 0, replaced: 0, open: 0 };
  readonly #broken: Partial<Record<FrameErrorCode, number>> = {};
  readonly #errors = new Map<string, number>();
  #firstUs = Infinity;
  #lastUs = -Infinity;
  #connections = 0;
  #frames = 0;
  #bytes = 0;
  #missingBytes = 0;
  #skippedBytes = 0;
  #unanswered = 0;

  private constructor(library: HistogramLibrary) {
    this.#library = library;
  }

  /** Makes an empty summary. The library of histograms is loaded for it. */
  static async create(): Promise<TrafficSummary> {
    return new TrafficSummary(await loadHistogramLibrary());
  }

  /** An observer of traffic whose frames this summary adds up. */
  watch(options?: WatchFramesOptions): TrafficObserver {
    return watchFrames(this, options);
  }

  /** A connection was seen. */
  opened({ openedUs }: FrameEvent["connection"]): void {
    this.#connections++;
    this.#at(openedUs);
  }

  /** A frame was seen. */
  frame(event: FrameEvent): void {
    const { kind, direction, frame, error, answers } = event;
    this.#frames++;
    this.#at(frame.timeUs);
    const count = this.#kind(kind, direction);
    count.frames++;
    count.bytes += frame.bytes;
    if (error !== undefined) this.#countError(error);
    if (!answers) return;
    const request = this.#kind(answers.kind, direction === "up" ? "down" : "up");
    request.latencies ??= new Latencies(this.#library);
    request.latencies.record(answers.latencyMs);
  }

  /** A broken frame was seen. */
  broken({ code }: { readonly code: FrameErrorCode }): void {
    this.#broken[code] = (this.#broken[code] ?? 0) + 1;
  }

  /** Bytes were skipped. */
  skipped(count: number): void {
    this.#skippedBytes += count;
  }

  /** Bytes are missing. */
  gap(count: number): void {
    this.#missingBytes += count;
  }

  /** A connection is over. */
  closed(_: SeenConnection, how: Ending, timeUs: number, traffic: ConnectionTraffic): void {
    this.#endings[how]++;
    this.#at(timeUs);
    this.#bytes += traffic.bytes.up + traffic.bytes.down;
    this.#unanswered += traffic.unanswered;
  }

  /** What was seen so far. Connections that are open count with what they had when they closed. */
  figures(): TrafficFigures {
    const kinds = [...this.#kinds.values()].map((
      { kind, direction, frames, bytes, latencies },
    ) => ({
      kind,
      direction,
      frames,
      bytes,
      answered: latencies?.count ?? 0,
      latencyUs: latencies?.figures(),
    })).sort((a, b) => b.frames - a.frames);
    return {
      connections: this.#connections,
      endings: { ...this.#endings },
      durationMs: Math.max(0, this.#lastUs - this.#firstUs) / 1_000,
      frames: this.#frames,
      bytes: this.#bytes,
      missingBytes: this.#missingBytes,
      skippedBytes: this.#skippedBytes,
      unanswered: this.#unanswered,
      broken: { ...this.#broken },
      errors: Object.fromEntries(this.#errors),
      kinds,
    };
  }

  #at(timeUs: number): void {
    if (timeUs < this.#firstUs) this.#firstUs = timeUs;
    if (timeUs > this.#lastUs) this.#lastUs = timeUs;
  }

  #kind(kind: string, direction: Direction): KindCount {
    const key = `${direction} ${kind}`;
    const found = this.#kinds.get(key);
    if (found) return found;
    if (this.#kinds.size >= MAX_KINDS && kind !== OTHER) return this.#kind(OTHER, direction);
    const made = { kind, direction, frames: 0, bytes: 0, latencies: undefined };
    this.#kinds.set(key, made);
    return made;
  }

  #countError(code: string): void {
    const key = this.#errors.has(code) || this.#errors.size < MAX_ERRORS ? code : OTHER;
    this.#errors.set(key, (this.#errors.get(key) ?? 0) + 1);
  }
}

interface KindCount {
  readonly kind: string;
  readonly direction: Direction;
  frames: number;
  bytes: number;
  latencies: Latencies | undefined;
}
