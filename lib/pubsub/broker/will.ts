import type { Frame } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { encodeFrame } from "../../frame/frame_encoder.ts";
import type { Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import { SYSTEM_PREFIX, topicProblem } from "../protocol/topic.ts";

/** The most content that a will may have, in bytes. */
const MAX_CONTENT_BYTES = 65_536;

/** What keeping a will costs beside its frame. */
const WILL_BYTES = 300;

/**
 * What is to be published when a connection ends in any other way than by its client's `bye` or the
 * broker's shutdown: its last will.
 */
export class Will {
  /** Where it is published. */
  readonly topic: string;
  /** The frame of the publication. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(topic: string, bytes: Uint8Array<ArrayBuffer>) {
    this.topic = topic;
    this.bytes = bytes;
  }

  /** The publication. */
  get frame(): Frame {
    return new FrameDecoder().decode(this.bytes).frames[0]!;
  }

  /** What it costs to keep it. */
  get cost(): number {
    return this.bytes.length + WILL_BYTES;
  }
}

/**
 * The will that a `hello` asks for: its field `will` is the topic, its content what is to be
 * published there. The content is copied.
 *
 * @returns The will; why it is refused, if it is; `undefined` if none is asked for.
 */
export function readWill({ header, content }: Frame): Will | Refusal | undefined {
  const topic = header["will"];
  if (topic === undefined) return undefined;
  const problem = topicProblem(topic);
  if (problem !== undefined) {
    return { code: "bad-topic", message: `Cannot use ${quote(topic)} for a will: ${problem}` };
  }
  const name = topic as string;
  if (name.startsWith(SYSTEM_PREFIX)) {
    const message = `Cannot use ${quote(topic)} for a will: the broker itself answers there`;
    return { code: "bad-topic", message };
  }
  if (content.length > MAX_CONTENT_BYTES) {
    const message = `A will has ${MAX_CONTENT_BYTES} bytes of content at most: ` +
      `there are ${content.length}`;
    return { code: "frame-too-large", message };
  }
  const { byteorder, "content-type": type, "content-encoding": encoding } = header;
  const described = { byteorder, "content-type": type, "content-encoding": encoding };
  return new Will(
    name,
    encodeFrame({ header: { ...described, op: "pub", topic: name }, content }),
  );
}
