import type { OutgoingFrame } from "../../frame/mod.ts";
import type { PublishOptions } from "./client_options.ts";
import type { PublishContent } from "./message.ts";

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
