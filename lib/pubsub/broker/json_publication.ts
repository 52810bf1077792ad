import { encodeFrame } from "../../frame/frame_encoder.ts";

/** The frame of a publication of the broker's own, whose content is a value as JSON. */
export function encodeJson(topic: string, value: unknown): Uint8Array<ArrayBuffer> {
  const header = { op: "pub", topic, "content-type": "text/json" };
  return encodeFrame({ header, content: JSON.stringify(value) });
}
