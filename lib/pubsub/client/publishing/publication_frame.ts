import { checkOptions, isBytes, type OptionKinds } from "../../../base/option_kinds.ts";
import { valueKind } from "../../../base/value_kind.ts";
import type { HeaderInit, OutgoingFrame } from "../../../frame/frame_encoder.ts";
import { isStreamedFrame, type StreamedFrame } from "../../../frame/streamed_frame.ts";
import type { SendOptions } from "./publish_options.ts";
import type { PublishContent } from "../receiving/message.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** What is wrong with a content, as the end of a sentence; `undefined` if it can be published. */
export function contentProblem(content: unknown): string | undefined {
  if (typeof content === "string" || isBytes(content)) return undefined;
  if (!isStreamedFrame(content)) {
    return `the content is ${valueKind(content)}; give text or a Uint8Array`;
  }
  const length: unknown = content.header?.["content-length"];
  if (Number.isSafeInteger(length) && (length as number) >= 0) return undefined;
  return `the content-length of the stream is ${valueKind(length)}; give its size in bytes`;
}

/** Whether a content, which can be published, is a stream. Most are bytes or text: those first. */
export function isStream(content: PublishContent): content is StreamedFrame {
  return typeof content !== "string" && !(content instanceof Uint8Array) &&
    isStreamedFrame(content);
}

/** Whether a content has more bytes than a limit. */
export function exceeds(content: PublishContent, limit: number): boolean {
  if (isStream(content)) return content.header["content-length"] > limit;
  if (typeof content !== "string") return content.length > limit;
  if (content.length * UTF8_BYTES_PER_UNIT <= limit) return false;
  return content.length > limit || encoder.encode(content).length > limit;
}

/**
 * The frame of a publication; with an id, the broker confirms it.
 *
 * @param extra Fields that the client adds.
 */
export function publicationFrame(
  topic: string,
  content: Uint8Array | string,
  options: SendOptions,
  id: number | undefined,
  extra?: HeaderInit,
): OutgoingFrame {
  return { header: { ...headerOf(topic, options, id), ...extra }, content };
}

/**
 * The frame of a publication whose content is a stream. Of the header that comes with the stream
 * only what describes the content is taken.
 *
 * @param extra Fields that the client adds.
 */
export function streamFrame(
  topic: string,
  { header, content }: StreamedFrame,
  options: SendOptions,
  id: number | undefined,
  extra?: HeaderInit,
): StreamedFrame {
  return {
    header: {
      ...headerOf(topic, options, id),
      ...extra,
      byteorder: header.byteorder,
      "content-type": options.contentType ?? header["content-type"],
      "content-encoding": header["content-encoding"],
      "content-length": header["content-length"],
    },
    content,
  };
}

const KINDS: OptionKinds<SendOptions> = { retain: "flag", contentType: "text", fields: "object" };

/** @throws {TypeError} if an option is not what it has to be. */
function headerOf(topic: string, options: SendOptions, id: number | undefined): HeaderInit {
  checkOptions(options, KINDS);
  const { contentType, retain, replyTo, okIf, fields, stored } = options;
  const asked = stored &&
    { stored: true, "msg-id": stored.messageId, "expect-seq": stored.expectSeq };
  const header = { ...fields, ...asked, op: "pub", topic, retain: retain || undefined, id };
  const type = contentType ?? fields?.["content-type"] as string | undefined;
  return { ...header, "content-type": type, "reply-to": replyTo, "ok-if": okIf };
}
