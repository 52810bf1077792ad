import { ContentError } from "../../lib/frame/mod.ts";
import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import type { Output } from "../_cli/mod.ts";

/** How a message is printed. */
export interface PrintOptions {
  /** As a JSON object. */
  readonly json: boolean;
  /** Byte for byte, without an end of line. */
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
    const body = text === undefined ? { base64: message.content.toBase64() } : { text };
    const { topic, header, retained } = message;
    return out.json({ type: "message", topic, retained, header, ...body });
  }
  const shown = text === undefined ? `base64: ${message.content.toBase64()}` : out.safe(text);
  return out.line(topic ? `${out.safe(message.topic)}\t${shown}` : shown);
}

/** The content as text; `undefined` if it is not text. */
function textOf(message: PubSubMessage): string | undefined {
  if (message.header["content-encoding"] === "binary") return undefined;
  try {
    return message.text();
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}
