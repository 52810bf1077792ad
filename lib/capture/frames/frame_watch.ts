import { Budget } from "../../base/budget.ts";
import { bytesOption, numericOption } from "../../base/numeric_options.ts";
import { type FrameError, HeaderCache } from "../../frame/mod.ts";
import type { Direction, Ending, SeenConnection, TrafficObserver } from "../traffic.ts";
import { Exchanges, openRequestsBudget } from "./exchanges.ts";
import { kindOf } from "./frame_kind.ts";
import {
  FrameScanner,
  type FrameScannerOptions,
  type ScannerSink,
  type SeenFrame,
  type SkipReason,
} from "./frame_scanner.ts";

/** A frame on its connection. */
export interface FrameEvent {
  /** The connection. */
  readonly connection: SeenConnection;
  /** Which way it went. */
  readonly direction: Direction;
  /** The frame itself. */
  readonly frame: SeenFrame;
  /** Its `op`, the action of a request, `answer`, or else its content type. */
  readonly kind: string;
  /** The code of an error that it tells. */
  readonly error: string | undefined;
  /** The kind of the request that it answers, and how long that took, in milliseconds. */
  readonly answers: { readonly kind: string; readonly latencyMs: number } | undefined;
}

/** Where on a connection something was. */
export interface StreamPlace {
  /** The connection. */
  readonly connection: SeenConnection;
  /** Which way. */
  readonly direction: Direction;
  /** Bytes of this direction before it. */
  readonly offset: number;
  /** In microseconds since 1970. */
  readonly timeUs: number;
}

/** Is told of frames. Whatever is left out is not told. It must not throw. */
export interface FrameObserver {
  /** A connection was opened, or is seen for the first time. */
  opened?: ((connection: SeenConnection) => void) | undefined;
  /** A frame; its content is a view, valid until this returns. */
  frame?: ((event: FrameEvent) => void) | undefined;
  /** A frame that is broken. */
  broken?: ((error: FrameError, place: StreamPlace) => void) | undefined;
  /** Bytes in which no frame was found. */
  skipped?: ((count: number, reason: SkipReason, place: StreamPlace) => void) | undefined;
  /** Bytes that the capture does not have. */
  gap?: ((count: number, place: StreamPlace) => void) | undefined;
  /** A connection is over. */
  closed?:
    | ((
      connection: SeenConnection,
      how: Ending,
      timeUs: number,
      traffic: ConnectionTraffic,
    ) => void)
    | undefined;
}

/** What went over a connection, in bytes and frames. */
export interface ConnectionTraffic {
  /** Bytes each way. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Frames each way. */
  readonly frames: Readonly<Record<Direction, number>>;
  /** Bytes each way that the capture does not have. */
  readonly missingBytes: Readonly<Record<Direction, number>>;
  /** Requests that were not answered. */
  readonly unanswered: number;
}

/** Options of {@linkcode watchFrames}. */
export interface WatchFramesOptions {
  /** How much of a content is kept for the observer, in bytes. @default {65_536} */
  readonly keptBytes?: number | undefined;
}

/** What all connections together hold of frames that are not complete. */
const MAX_HELD_BYTES = 25_165_824;

const KEPT = bytesOption(65_536);

/**
 * Finds the frames in the traffic of connections, and pairs requests with answers.
 *
 * @throws {TypeError | RangeError} if `keptBytes` is no number of bytes.
 */
export function watchFrames(
  observer: FrameObserver,
  options: WatchFramesOptions = {},
): TrafficObserver {
  const keptBytes = numericOption("keptBytes", options.keptBytes, KEPT);
  const shared = {
    keptBytes,
    headerCache: new HeaderCache(),
    memory: new Budget("unfinished frames", MAX_HELD_BYTES),
  };
  const requests = openRequestsBudget();
  const watches = new Map<SeenConnection, ConnectionWatch>();
  return {
    opened(connection) {
      watches.set(connection, new ConnectionWatch(connection, observer, shared, requests));
      observer.opened?.(connection);
    },
    bytes: (connection, direction, bytes, timeUs) =>
      watches.get(connection)?.bytes(direction, bytes, timeUs),
    gap: (connection, direction, count, timeUs) =>
      watches.get(connection)?.gap(direction, count, timeUs),
    ended: (connection, direction, timeUs) => watches.get(connection)?.end(direction, timeUs),
    closed(connection, how, timeUs) {
      watches.get(connection)?.close(how, timeUs);
      watches.delete(connection);
    },
  };
}

/** Both directions of one connection. */
class ConnectionWatch {
  readonly #connection: SeenConnection;
  readonly #observer: FrameObserver;
  readonly #scanners: Readonly<Record<Direction, FrameScanner>>;
  readonly #exchanges: Exchanges;
  readonly #bytes = { up: 0, down: 0 };
  readonly #frames = { up: 0, down: 0 };
  readonly #missing = { up: 0, down: 0 };
  readonly #ended = { up: false, down: false };

  constructor(
    connection: SeenConnection,
    observer: FrameObserver,
    shared: Omit<FrameScannerOptions, "fromStart">,
    requests: Budget,
  ) {
    this.#connection = connection;
    this.#observer = observer;
    this.#exchanges = new Exchanges(requests);
    const { fromStart } = connection;
    const scanner = (direction: Direction) =>
      new FrameScanner(this.#sink(direction), { ...shared, fromStart });
    this.#scanners = { up: scanner("up"), down: scanner("down") };
  }

  bytes(direction: Direction, bytes: Uint8Array, timeUs: number): void {
    this.#bytes[direction] += bytes.length;
    this.#scanners[direction].push(bytes, timeUs);
  }

  gap(direction: Direction, count: number, timeUs: number): void {
    const offset = this.#bytes[direction] + this.#missing[direction];
    this.#missing[direction] += count;
    this.#observer.gap?.(count, { connection: this.#connection, direction, offset, timeUs });
    this.#scanners[direction].gap(count, timeUs);
    this.#exchanges.clear();
  }

  end(direction: Direction, timeUs: number): void {
    if (this.#ended[direction]) return;
    this.#ended[direction] = true;
    this.#scanners[direction].end(timeUs);
  }

  close(how: Ending, timeUs: number): void {
    this.end("up", timeUs);
    this.end("down", timeUs);
    this.#observer.closed?.(this.#connection, how, timeUs, {
      bytes: this.#bytes,
      frames: this.#frames,
      missingBytes: this.#missing,
      unanswered: this.#exchanges.open,
    });
    this.#exchanges.clear();
  }

  #sink(direction: Direction): ScannerSink {
    const connection = this.#connection;
    const observer = this.#observer;
    return {
      frame: (frame) => this.#frame(direction, frame),
      broken: (error, offset, timeUs) =>
        observer.broken?.(error, { connection, direction, offset, timeUs }),
      skipped: (count, offset, reason, timeUs) =>
        observer.skipped?.(count, reason, { connection, direction, offset, timeUs }),
    };
  }

  #frame(direction: Direction, frame: SeenFrame): void {
    this.#frames[direction]++;
    const { kind, isControl, error } = kindOf(frame);
    const { header, beganUs, timeUs } = frame;
    const request = this.#exchanges.take(header, kind, isControl, direction, timeUs);
    // An answer may begin to come before its request is complete.
    const answers = request && {
      kind: request.kind,
      latencyMs: Math.max(0, beganUs - request.timeUs) / 1_000,
    };
    this.#observer.frame?.({
      connection: this.#connection,
      direction,
      frame,
      kind: request !== undefined && kind === header["content-type"] ? "answer" : kind,
      error,
      answers,
    });
  }
}
