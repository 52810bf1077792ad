import { checkGiven, checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import type { Budget } from "../../base/budget.ts";
import { bytesOption, numericOption } from "../../base/numeric_options.ts";
import type { FrameError } from "../../frame/mod.ts";
import type { Direction } from "../../net/direction.ts";
import type { Ending, SeenConnection, TrafficObserver } from "../traffic.ts";
import { Exchanges, openRequestsBudget } from "./exchanges.ts";
import { kindOf } from "./frame_kind.ts";
import {
  FrameScanner,
  ScannerCommons,
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

const KEPT = bytesOption(65_536);

/** What the connections of one {@linkcode watchFrames} have in common. */
interface Commons {
  readonly observer: FrameObserver;
  readonly scanners: ScannerCommons;
  /** Counts the requests that wait for an answer. */
  readonly requests: Budget;
}

const OBSERVER_KINDS: OptionKinds<FrameObserver> = {
  opened: "function",
  frame: "function",
  broken: "function",
  skipped: "function",
  gap: "function",
  closed: "function",
};

/**
 * Finds the frames in the traffic of connections, and pairs requests with answers.
 *
 * @example
 * ```ts
 * import { watchFrames } from "@socktool/socktool/capture";
 * import { encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: string[] = [];
 * const traffic = watchFrames({
 *   frame: ({ kind, answers }) => seen.push(answers ? `${kind} to ${answers.kind}` : kind),
 * });
 * const ends = { client: "127.0.0.1:50000", server: "127.0.0.1:5635" };
 * const connection = { ...ends, id: 1, fromStart: true, openedUs: 0 };
 * traffic.opened(connection, 0);
 * traffic.bytes(connection, "up", encodeFrame({ header: { op: "ping", id: 1 } }), 10);
 * traffic.bytes(connection, "down", encodeFrame({ header: { op: "pong", id: 1 } }), 20);
 * assertEquals(seen, ["ping", "pong to ping"]);
 * ```
 *
 * @throws {TypeError | RangeError} if `keptBytes` is no number of bytes, or the observer is none.
 */
export function watchFrames(
  observer: FrameObserver,
  options: WatchFramesOptions = {},
): TrafficObserver {
  checkGiven("observer", observer, "object");
  checkOptions(observer, OBSERVER_KINDS, "observer");
  const commons: Commons = {
    observer,
    scanners: new ScannerCommons(numericOption("keptBytes", options.keptBytes, KEPT)),
    requests: openRequestsBudget(),
  };
  const watches = new Map<SeenConnection, ConnectionWatch>();
  return {
    opened(connection) {
      watches.set(connection, new ConnectionWatch(connection, commons));
      observer.opened?.(connection);
    },
    bytes: (connection, direction, bytes, timeUs) =>
      watches.get(connection)?.way(direction).bytes(bytes, timeUs),
    gap: (connection, direction, count, timeUs) =>
      watches.get(connection)?.way(direction).gap(count, timeUs),
    ended: (connection, direction, timeUs) => watches.get(connection)?.way(direction).end(timeUs),
    closed(connection, how, timeUs) {
      watches.get(connection)?.close(how, timeUs);
      watches.delete(connection);
    },
  };
}

/** Both directions of one connection. There may be 65,536 of them, of which most say little. */
class ConnectionWatch {
  readonly connection: SeenConnection;
  readonly commons: Commons;
  #up: DirectionWatch | undefined;
  #down: DirectionWatch | undefined;
  #exchanges: Exchanges | undefined;

  constructor(connection: SeenConnection, commons: Commons) {
    this.connection = connection;
    this.commons = commons;
  }

  way(direction: Direction): DirectionWatch {
    return direction === "up"
      ? this.#up ??= new DirectionWatch(direction, this)
      : this.#down ??= new DirectionWatch(direction, this);
  }

  get exchanges(): Exchanges {
    return this.#exchanges ??= new Exchanges(this.commons.requests);
  }

  /** Bytes are missing: which answer is to which request is not certain any more. */
  forgetRequests(): void {
    this.#exchanges?.clear();
  }

  close(how: Ending, timeUs: number): void {
    const [up, down] = [this.#up, this.#down];
    up?.end(timeUs);
    down?.end(timeUs);
    this.commons.observer.closed?.(this.connection, how, timeUs, {
      bytes: { up: up?.seenBytes ?? 0, down: down?.seenBytes ?? 0 },
      frames: { up: up?.frames ?? 0, down: down?.frames ?? 0 },
      missingBytes: { up: up?.missingBytes ?? 0, down: down?.missingBytes ?? 0 },
      unanswered: this.#exchanges?.open ?? 0,
    });
    this.forgetRequests();
  }
}

/** One direction of a connection. */
class DirectionWatch implements ScannerSink {
  seenBytes = 0;
  frames = 0;
  missingBytes = 0;
  readonly #direction: Direction;
  readonly #whole: ConnectionWatch;
  readonly #scanner: FrameScanner;
  #hasEnded = false;

  constructor(direction: Direction, whole: ConnectionWatch) {
    this.#direction = direction;
    this.#whole = whole;
    const { commons, connection } = whole;
    this.#scanner = new FrameScanner(this, commons.scanners, connection.fromStart);
  }

  bytes(bytes: Uint8Array, timeUs: number): void {
    this.seenBytes += bytes.length;
    this.#scanner.push(bytes, timeUs);
  }

  gap(count: number, timeUs: number): void {
    const place = this.#place(this.seenBytes + this.missingBytes, timeUs);
    this.missingBytes += count;
    this.#whole.commons.observer.gap?.(count, place);
    this.#scanner.gap(count, timeUs);
    this.#whole.forgetRequests();
  }

  end(timeUs: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#scanner.end(timeUs);
  }

  frame(frame: SeenFrame): void {
    this.frames++;
    const { connection, commons, exchanges } = this.#whole;
    const { kind, isControl, error } = kindOf(frame);
    const { header, beganUs, timeUs } = frame;
    const direction = this.#direction;
    const request = exchanges.take(header, kind, isControl, direction, timeUs);
    // An answer may begin to come before its request is complete.
    const answers = request && {
      kind: request.kind,
      latencyMs: Math.max(0, beganUs - request.timeUs) / 1_000,
    };
    commons.observer.frame?.({
      connection,
      direction,
      frame,
      kind: request !== undefined && kind === header["content-type"] ? "answer" : kind,
      error,
      answers,
    });
  }

  broken(error: FrameError, offset: number, timeUs: number): void {
    this.#whole.commons.observer.broken?.(error, this.#place(offset, timeUs));
  }

  skipped(count: number, offset: number, reason: SkipReason, timeUs: number): void {
    this.#whole.commons.observer.skipped?.(count, reason, this.#place(offset, timeUs));
  }

  #place(offset: number, timeUs: number): StreamPlace {
    return { connection: this.#whole.connection, direction: this.#direction, offset, timeUs };
  }
}
