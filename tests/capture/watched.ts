/** What a watch of frames tells of a conversation that a test makes up. */
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import {
  type FrameEvent,
  type SeenConnection,
  viewOf,
  watchFrames,
} from "../../lib/capture/mod.ts";

/** A connection that was seen from its start. */
export const CONNECTION = {
  id: 1,
  client: "127.0.0.1:50000",
  server: "127.0.0.1:5634",
  fromStart: true,
  openedUs: 0,
} as const;

/** Watches what a test sends, and notes what is told of it, a text each. */
export function watched(fromStart = true, keptBytes = 65_536) {
  const told: string[] = [];
  const frames: FrameEvent[] = [];
  const contents: string[] = [];
  const connection: SeenConnection = { ...CONNECTION, fromStart };
  const watch = watchFrames({
    frame(event) {
      const { kind, frame, answers } = event;
      told.push(`${kind} at ${frame.offset}${frame.missingBytes > 0 ? " incomplete" : ""}`);
      if (answers) told.push(`answers ${answers.kind} after ${answers.latencyMs}`);
      contents.push(viewOf(event).text ?? viewOf(event).content.toHex());
      frames.push({ ...event, frame: { ...frame, content: frame.content.slice() } });
    },
    broken: (error, { offset }) => told.push(`${error.code} at ${offset}`),
    skipped: (count, reason, { offset }) => told.push(`skipped ${count} at ${offset} ${reason}`),
    gap: (count, { offset }) => told.push(`gap ${count} at ${offset}`),
    closed: (_, how, __, { unanswered }) => told.push(`${how}, ${unanswered} unanswered`),
  }, { keptBytes });
  watch.opened(connection, 0);
  let timeUs = 0;
  return {
    told,
    frames,
    contents,
    up: (bytes: Uint8Array) => watch.bytes(connection, "up", bytes, timeUs += 1_000),
    down: (bytes: Uint8Array) => watch.bytes(connection, "down", bytes, timeUs += 1_000),
    gap: (count: number) => watch.gap(connection, "up", count, timeUs),
    end: () => watch.closed(connection, "closed", timeUs),
  };
}

/** A publication or the like, with text. */
export const text = (op: string, content: string, more = {}) =>
  encodeFrame({ header: { op, "content-type": "text/plain", ...more }, content });

export const ping = (id: number) => encodeFrame({ header: { op: "ping", id } });

/** A request to the search app. */
export const action = (name: string) => encodeFrame(jsonFrame({ action: name, value: "x" }));

/** Its answer. */
export const answer = (more = {}) => encodeFrame(jsonFrame({ result: "y", ...more }));
