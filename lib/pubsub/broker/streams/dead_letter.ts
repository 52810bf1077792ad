import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import { FrameDecoder } from "../../../frame/frame_decoder.ts";
import { encodeFrame } from "../../../frame/frame_encoder.ts";

/** The stream of the dead letters of all consumers. */
export const DEAD_LETTERS = "_dead";

/** The topic of a consumer's dead letters. */
export function deadTopicOf(stream: string, consumer: string): string {
  return `${DEAD_LETTERS}.${stream}.${consumer}`;
}

/** Whose message a dead letter is, and what became of it. */
export interface DeadMessage {
  readonly stream: string;
  readonly consumer: string;
  /** Its number in the stream. */
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
  readonly attempts: number;
  readonly reason: string | undefined;
}

/** What the field `dead` of a dead letter tells. */
interface DeadField extends DeadMessage {
  /** The topic on which it was published. */
  readonly topic: string;
}

/**
 * The frame of a message that is no longer delivered: as it was, with another topic and one more
 * field.
 */
export function deadLetterOf(message: DeadMessage, { header, content }: Frame): Frame {
  const before = deadFieldOf(header);
  const { stream, consumer, attempts, reason } = message;
  const dead: DeadField = {
    topic: before?.topic ?? header["topic"] as string,
    stream,
    consumer,
    seq: before?.seq ?? message.seq,
    time: before?.time ?? message.time,
    attempts,
    reason,
  };
  // The letter is a message of its own: what its publisher asked for concerned the first one.
  const { id: _id, stored: _stored, "msg-id": _msgId, "expect-seq": _seq, ...rest } = header;
  return frameOf({ ...rest, topic: deadTopicOf(stream, consumer), dead }, content);
}

/** A dead letter as the message that it was. */
export function revive({ header, content }: Frame): { frame: Frame; seq: number; time: number } {
  const { topic, seq, time } = deadFieldOf(header)!;
  const { dead: _dead, ...rest } = header;
  return { frame: frameOf({ ...rest, topic }, content), seq, time };
}

function deadFieldOf(header: FrameHeader): DeadField | undefined {
  return header["topic"]?.toString().startsWith(`${DEAD_LETTERS}.`)
    ? header["dead"] as DeadField | undefined
    : undefined;
}

function frameOf(header: FrameHeader, content: Uint8Array): Frame {
  const bytes = encodeFrame({ header, content });
  return new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes).frames[0]!;
}
