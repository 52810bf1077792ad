import {
  type ByteBuffer,
  type EncodedHead,
  encodeHead,
  FrameDecoder,
  writeFrame,
} from "../../../frame/mod.ts";
import { topicProblem } from "../../protocol/topic.ts";
import { MAX_HEADER_BYTES, membersProblem } from "../header_room.ts";
import { isUtf8 } from "./is_utf8.ts";
import {
  BINARY_ENCODING,
  BINARY_TYPE,
  type CarriedFields,
  TEXT_ENCODING,
  TEXT_TYPE,
} from "./message_headers.ts";

/** Heads that are kept of a topic, by type and encoding. */
const MAX_HEADS = 8;

/** What a message holds. */
export interface MessageParts {
  readonly data: Uint8Array;
  /** The reply subject; empty if it has none. */
  readonly reply?: string | undefined;
  readonly fields: CarriedFields;
}

/**
 * Appends the frame of a publication that came as a message of NATS.
 *
 * @param heads The heads of the topic's frames so far.
 */
export function writeMessageFrame(
  buffer: ByteBuffer,
  topic: string,
  { data, reply: subject, fields: { type, encoding, origin, replyTo: given, others } }:
    MessageParts,
  heads: Map<string, EncodedHead>,
): void {
  // A gateway leaves out what is text in UTF-8. Others may not have said what it is.
  const isText = origin !== undefined || (type !== undefined && encoding !== undefined) ||
    isUtf8(data);
  const described = {
    "content-type": type ?? (isText ? TEXT_TYPE : BINARY_TYPE),
    "content-encoding": encoding ?? (isText ? TEXT_ENCODING : BINARY_ENCODING),
  };
  const reply = given ?? subject;
  const replyTo = reply && topicProblem(reply) === undefined && !reply.startsWith("$")
    ? reply
    : undefined;
  if (others === undefined && replyTo === undefined) {
    const key = type === undefined && encoding === undefined && isText
      ? ""
      : `${described["content-type"]}\n${described["content-encoding"]}`;
    let head = heads.get(key);
    if (head === undefined) {
      head = encodeHead({ ...described, op: "pub", topic }, false);
      if (heads.size < MAX_HEADS) heads.set(key, head);
    }
    head.writeBytes(buffer, data);
    return;
  }
  const start = buffer.length;
  const own = { ...described, op: "pub", topic, "reply-to": replyTo };
  try {
    writeFrame(buffer, { header: { ...others, ...own }, content: data });
  } catch {
    // A stranger's fields may not fit into a header: then the content goes on without them.
    buffer.length = start;
  }
  if (buffer.length > start && isWhole(buffer.bytes.subarray(start, buffer.length))) return;
  buffer.length = start;
  writeFrame(buffer, { header: own, content: data });
}

/** Whether bytes are one frame that a client will understand, with the fields that are added to it. */
function isWhole(bytes: Uint8Array): boolean {
  const decoder = new FrameDecoder({ maxContentBytes: Infinity, maxHeaderBytes: MAX_HEADER_BYTES });
  const { frames, error } = decoder.decode(bytes);
  if (error !== undefined || frames.length !== 1) return false;
  const { header, start, contentStart } = frames[0]!;
  return membersProblem(header, contentStart - start - 2) === undefined;
}
