import { type CaptureResult, type CaptureSource, readCapture } from "../read_capture.ts";
import type { Direction } from "../../net/direction.ts";
import type { Ending, SeenConnection } from "../traffic.ts";
import { CaptureError } from "../capture_error.ts";
import { AnswerList } from "./answer_list.ts";

/** One thing that happened on a recorded connection. */
export type ReplayStep =
  | { readonly kind: "open"; readonly session: ReplaySession; readonly timeUs: number }
  | {
    readonly kind: "bytes";
    readonly session: ReplaySession;
    readonly timeUs: number;
    readonly direction: Direction;
    readonly bytes: Uint8Array;
  }
  | {
    readonly kind: "end";
    readonly session: ReplaySession;
    readonly timeUs: number;
    readonly direction: Direction;
  }
  | {
    readonly kind: "close";
    readonly session: ReplaySession;
    readonly timeUs: number;
    readonly how: Ending;
  };

/** A recorded connection. */
export interface ReplaySession {
  /** The connection in the recording. */
  readonly connection: SeenConnection;
  /** What was sent each way, as frames or bytes. */
  readonly sent: Readonly<Record<Direction, AnswerList>>;
}

/** A recording in memory, ready to be played back. */
export interface Recording {
  /** The connections that can be played, in the order in which they were opened. */
  readonly sessions: readonly ReplaySession[];
  /** What happened on them, in order. */
  readonly steps: readonly ReplayStep[];
  /** Connections that are left out: the capture lacks their beginning, or bytes of them. */
  readonly incomplete: number;
  /** What was found in the file. */
  readonly capture: CaptureResult;
}

/** At most this much traffic is played back. */
const MAX_BYTES = 268_435_456;

/** What a step takes besides its bytes, about. */
const STEP_BYTES = 200;

/** What a connection takes besides its steps, about: most of it where both sides say something. */
const SESSION_BYTES = 2_000;

/**
 * Reads a capture for playing it back. Connections of which bytes are missing are left out.
 *
 * @example A recording is played by both sides.
 * ```ts
 * import {
 *   loadRecording,
 *   openRecorder,
 *   replayClient,
 *   serveReplay,
 * } from "@socktool/socktool/capture";
 * import { encodeFrame, jsonFrame } from "@socktool/socktool/frame";
 * import { listen } from "@socktool/socktool/net";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pcapng" });
 * {
 *   using recorder = openRecorder({ path });
 *   const end = (port: number) => ({ transport: "tcp", hostname: "127.0.0.1", port } as const);
 *   const connection = recorder.open(end(50_000), end(5634));
 *   connection.bytes("up", encodeFrame(jsonFrame({ action: "get", value: "ring" })));
 *   connection.bytes("down", encodeFrame(jsonFrame({ result: "In the caves." })));
 *   connection.ended("up");
 *   connection.ended("down");
 * }
 * using file = await Deno.open(path);
 * const recording = await loadRecording(file);
 * const listener = await listen("127.0.0.1:0");
 * const results = await Promise.all([
 *   replayClient(recording, listener.address, { check: true }),
 *   serveReplay(recording, listener, { check: true }),
 * ]);
 * const figures = results.map(({ receivedFrames, differences }) => [receivedFrames, differences]);
 * assertEquals(figures, [[1, 0], [1, 0]]);
 * await Deno.remove(path);
 * ```
 *
 * @throws {CaptureError} with code `too-large` if there is more than 256 MiB of traffic in it, or
 * `bad-capture` if it is damaged, or no capture.
 * @throws what the source throws.
 */
export function loadRecording(source: CaptureSource): Promise<Recording> {
  return loadWithin(source, MAX_BYTES);
}

/** {@linkcode loadRecording} with another bound, for tests. */
export async function loadWithin(source: CaptureSource, maxBytes: number): Promise<Recording> {
  const sessions = new Map<SeenConnection, ReplaySession>();
  const broken = new Set<ReplaySession>();
  const steps: ReplayStep[] = [];
  let heldBytes = 0;
  const tooLarge = new AbortController();
  const add = (step: ReplayStep, bytes = 0) => {
    heldBytes += bytes + STEP_BYTES;
    if (heldBytes > maxBytes) tooLarge.abort();
    else steps.push(step);
  };
  const capture = await readCapture(source, {
    opened(connection, timeUs) {
      const session = {
        connection,
        sent: { up: new AnswerList(true), down: new AnswerList(true) },
      };
      sessions.set(connection, session);
      if (!connection.fromStart) broken.add(session);
      add({ kind: "open", session, timeUs }, SESSION_BYTES);
    },
    bytes(connection, direction, view, timeUs) {
      const session = sessions.get(connection)!;
      if (broken.has(session)) return;
      const bytes = view.slice();
      session.sent[direction].add(bytes);
      add({ kind: "bytes", session, timeUs, direction, bytes }, bytes.length * 2);
    },
    gap: (connection) => void broken.add(sessions.get(connection)!),
    ended(connection, direction, timeUs) {
      add({ kind: "end", session: sessions.get(connection)!, timeUs, direction });
    },
    closed(connection, how, timeUs) {
      add({ kind: "close", session: sessions.get(connection)!, timeUs, how });
    },
  }, { signal: tooLarge.signal });
  if (tooLarge.signal.aborted) {
    throw new CaptureError(
      "too-large",
      "Cannot play back more than 256 MiB of traffic: cut the capture up (editcap -c)",
    );
  }
  if (capture.damage) throw capture.damage;
  if (capture.format === "bytes") {
    throw new CaptureError("bad-capture", "Cannot play this file back: it is no pcapng or pcap");
  }
  const whole = [...sessions.values()].filter((session) => !broken.has(session));
  return {
    sessions: whole,
    steps: steps.filter(({ session }) => !broken.has(session)),
    incomplete: broken.size,
    capture,
  };
}
