import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import type { Output } from "../_cli/mod.ts";
import { contentText, isUtf8 } from "./content_text.ts";
import type { MessageFormat } from "./message_format.ts";

/** How messages are printed; without any of it, the content as a line. */
export interface PrintOptions {
  /** As JSON objects. */
  readonly json?: boolean;
  /** Byte for byte, without an end of line. */
  readonly raw?: boolean;
  /** With the topic before each. */
  readonly topic?: boolean;
  /** With the time at which it came before each. */
  readonly time?: boolean;
  /** Nothing but the topic. */
  readonly topicsOnly?: boolean;
  /** In this form. */
  readonly format?: MessageFormat | undefined;
}

const encoder = new TextEncoder();

/** Prints a message. Resolves when there is room for the next. */
export function printMessage(
  message: PubSubMessage,
  { json, raw, topic, time, topicsOnly, format }: PrintOptions,
  out: Output,
): Promise<void> | undefined {
  if (raw) return out.bytes(message.content);
  if (json) return out.json(jsonOf(message, time ?? false));
  const now = new Date();
  if (format) return out.line(format(message, now, (text) => out.safe(text)));
  const columns = [
    ...time ? [now.toISOString()] : [],
    ...topic || topicsOnly ? [out.safe(message.topic)] : [],
    ...topicsOnly ? [] : [shownContent(message, out)],
  ];
  return out.line(columns.join("\t"));
}

function shownContent(message: PubSubMessage, out: Output): string {
  const text = contentText(message);
  return text === undefined ? `base64: ${message.content.toBase64()}` : out.safe(text);
}

/** All that a message has: `pub --ndjson` publishes the same again. */
function jsonOf(message: PubSubMessage, withTime: boolean): Readonly<Record<string, unknown>> {
  const { topic, header, retained, content } = message;
  const text = contentText(message);
  return {
    type: "message",
    topic,
    retained,
    ...withTime && { time: new Date().toISOString() },
    header,
    text,
    // The text alone would be published as other bytes.
    ...!(isUtf8(header["content-encoding"]) && isExact(text, content)) &&
      { base64: content.toBase64() },
  };
}

/** Whether a text in UTF-8 is these bytes: not behind a byte order mark. */
function isExact(text: string | undefined, content: Uint8Array): boolean {
  if (text === undefined) return false;
  const bytes = encoder.encode(text);
  return bytes.length === content.length && bytes.every((byte, i) => byte === content[i]);
}
