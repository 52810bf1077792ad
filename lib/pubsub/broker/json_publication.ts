import { encodeFrame } from "../../frame/mod.ts";

/** The frame of a publication of the broker's own, whose content is a value as JSON. */
export function encodeJson(topic: string, value: unknown): Uint8Array<ArrayBuffer> {
  const header = { op: "pub", topic, "content-type": "text/json" };
  return encodeFrame({ header, content: JSON.stringify(value) });
}
