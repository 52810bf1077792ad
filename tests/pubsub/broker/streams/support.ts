import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type HeaderInit,
} from "../../../../lib/frame/mod.ts";
import type { StreamSettings } from "../../../../lib/pubsub/broker/streams/stream_store.ts";

/** Settings of a stream without limits. */
export const UNLIMITED: StreamSettings = {
  topics: ["orders.>"],
  maxAgeMs: Infinity,
  maxBytes: Infinity,
  maxCount: Infinity,
  maxPerTopic: Infinity,
  dedupMs: 120_000,
  full: "drop-oldest",
  sync: "always",
  keep: "limits",
};

/** The frame of a publication that is to be stored. */
export function publication(topic: string, content: string, fields: HeaderInit = {}): Uint8Array {
  return encodeFrame({ header: { op: "pub", topic, stored: true, ...fields }, content });
}

/** The frames that lie one behind the other. */
export function framesIn(bytes: Uint8Array): readonly Frame[] {
  const { frames, consumed } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
  if (consumed !== bytes.length) throw new Error("There is a part of a frame at the end");
  return frames;
}

/** Random numbers that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
