import { ContentError } from "../../lib/frame/mod.ts";
import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import type { Output } from "../_cli/mod.ts";

/** How a message is printed. */
export interface PrintOptions {
  /** As an object of JSON. */
  readonly json: boolean;
  /** The bytes as they are, without an end of line. */
  readonly raw: boolean;
  /** With the topic before it. */
  readonly topic: boolean;
}

/** Prints a message. Resolves when there is room for the next. */
export function printMessage(
  message: PubSubMessage,
  { json, raw, topic }: PrintOptions,
  out: Output,
): Promise<void> | undefined {
  if (raw) return out.bytes(message.content);
  const text = textOf(message);
  if (json) {
    const body = text === undefined ? { base64: base64(message.content) } : { text };
    const { topic, header, retained } = message;
    return out.json({ type: "message", topic, retained, header, ...body });
  }
  const shown = text === undefined ? `base64: ${base64(message.content)}` : out.safe(text);
  return out.line(topic ? `${out.safe(message.topic)}\t${shown}` : shown);
}

/** The content as text; `undefined` if it is none. */
function textOf(message: PubSubMessage): string | undefined {
  if (message.header["content-encoding"] === "binary") return undefined;
  try {
    return message.text();
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}

/** In pieces, because a call takes a limited number of arguments. */
function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return btoa(binary);
}
