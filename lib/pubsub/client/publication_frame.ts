import { valueKind } from "../../base/value_kind.ts";
import type { OutgoingFrame } from "../../frame/mod.ts";
import type { PublishOptions } from "./client_options.ts";
import type { PublishContent } from "./message.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** What is wrong with a content, as the end of a sentence; `undefined` if it can be published. */
export function contentProblem(content: unknown): string | undefined {
  if (typeof content === "string" || isBytes(content)) return undefined;
  return `the content is ${valueKind(content)}; give text or a Uint8Array`;
}

/** Also an array of bytes from another realm, such as another frame of a page, is one. */
function isBytes(content: unknown): boolean {
  return content instanceof Uint8Array ||
    Object.prototype.toString.call(content) === "[object Uint8Array]";
}

/** Whether a content has more bytes than a limit. */
export function exceeds(content: PublishContent, limit: number): boolean {
  if (typeof content !== "string") return content.length > limit;
  if (content.length * UTF8_BYTES_PER_UNIT <= limit) return false;
  return content.length > limit || encoder.encode(content).length > limit;
}

/** The frame of a publication; with an id, the broker confirms it. */
export function publicationFrame(
  topic: string,
  content: PublishContent,
  options: PublishOptions,
  id: number | undefined,
): OutgoingFrame {
  const { contentType, retain, replyTo, fields } = options;
  const header = { ...fields, op: "pub", topic, retain: retain || undefined, id };
  return { header: { ...header, "content-type": contentType, "reply-to": replyTo }, content };
}
