import type { Msg } from "@nats-io/transport-node";
import { ByteBuffer, type EncodedHead, type Frame, FrameDecoder } from "../../../../frame/mod.ts";
import { writeExtended } from "../../delivery/extended_frame.ts";
import { writeMessageFrame } from "../message_frame.ts";
import type { CarriedFields } from "../message_headers.ts";
import { fieldsOf } from "../official_headers.ts";
import { NANOS } from "./stream_config.ts";

/** Topics whose heads are remembered. */
const MAX_TOPICS = 4_096;

/** What JetStream says of a message that it delivers, in the reply subject. */
export interface Delivered {
  /** How often it was delivered, this time included. */
  readonly attempt: number;
  /** Its number in the stream. */
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
  /** How many messages the consumer has not delivered yet. */
  readonly pending: number;
}

/**
 * Reads the subject to which a delivery is acknowledged: `$JS.ACK.STREAM.CONSUMER.ATTEMPT.SEQ.
 * CONSUMER-SEQ.NANOSECONDS.PENDING`, where newer servers put a domain and an account behind `ACK`.
 */
export function deliveredOf(reply: string): Delivered {
  const tokens = reply.split(".");
  const at = tokens.length > 9 ? 6 : 4;
  return {
    attempt: Number(tokens[at]),
    seq: Number(tokens[at + 1]),
    time: Math.floor(Number(tokens[at + 3]) / NANOS),
    pending: Number(tokens[at + 4]),
  };
}

/** Makes the frames of publications of what JetStream brings. */
export class StoredMessages {
  readonly #heads = new Map<string, Map<string, EncodedHead>>();
  readonly #scratch = new ByteBuffer();

  /**
   * Appends a message's frame.
   *
   * @param tail Further fields, as `writeExtended` takes them.
   */
  write(buffer: ByteBuffer, message: Msg, tail: string): void {
    const { subject, data } = message;
    const scratch = this.#scratch;
    scratch.clear();
    // The reply subject of a delivery is where it is acknowledged.
    const parts = { data, fields: fieldsOf(message) };
    writeMessageFrame(scratch, subject, parts, this.#headsOf(subject));
    const { bytes, length } = scratch;
    const contentStart = 2 + (bytes[0]! << 8 | bytes[1]!);
    writeExtended(buffer, { buffer: bytes, start: 0, contentStart, end: length }, tail);
  }

  /** A message as the publication that it was; it owns its memory. */
  frameOf(subject: string, data: Uint8Array, fields: CarriedFields): Frame {
    const buffer = new ByteBuffer(data.length + 512);
    writeMessageFrame(buffer, subject, { data, fields }, new Map());
    const { frames } = new FrameDecoder({ maxContentBytes: Infinity }).decode(buffer.view());
    return frames[0]!;
  }

  #headsOf(topic: string): Map<string, EncodedHead> {
    let heads = this.#heads.get(topic);
    if (heads === undefined) {
      if (this.#heads.size >= MAX_TOPICS) this.#heads.clear();
      this.#heads.set(topic, heads = new Map());
    }
    return heads;
  }
}
