import type { EncodedHead } from "../../../frame/encoded_head.ts";
import { encodeHead } from "../../../frame/frame_encoder.ts";
import { INBOX_PREFIX, topicProblem } from "../../protocol/topic.ts";

/** How many topics are remembered. A program that uses more begins anew from time to time. */
const MAX_TOPICS = 256;

/** Topics for replies as brokers and clients make them: they are valid, and each is used once. */
const INBOX_TOPIC = /^_inbox\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$/;

/** The longest name behind an inbox. */
const MAX_NAME = 64;

const HYPHEN = 0x2d, DIGIT_0 = 0x30, DIGIT_9 = 0x39, UNDERSCORE = 0x5f;
const CASE_BIT = 0x20, LETTER_A = 0x61, LETTER_Z = 0x7a;

/** The heads of publications to one topic, for content that is text and for bytes. */
export class TopicHeads {
  readonly #topic: string | undefined;
  #text: EncodedHead | undefined;
  #bytes: EncodedHead | undefined;

  /** @param topic Without it, the topic has to be among the fields of each frame. */
  constructor(topic: string | undefined) {
    this.#topic = topic;
  }

  /** The head for a content. */
  of(content: Uint8Array | string): EncodedHead {
    if (typeof content !== "string") return this.#bytes ??= this.#make(false);
    return this.#text ??= this.#make(true);
  }

  #make(isText: boolean): EncodedHead {
    return encodeHead({ op: "pub", topic: this.#topic }, isText);
  }
}

/** The encoded heads of the topics that a client publishes to again and again. */
export class PublicationHeads {
  readonly #known = new Map<string, TopicHeads>();
  /** For topics that are used once. */
  readonly #any = new TopicHeads(undefined);
  /** The inbox of the last reply, to the last dot. */
  #inbox = "";
  #lastTopic: string | undefined;
  #last: TopicHeads | undefined;

  /** The heads of a topic; `undefined` if it is none, which {@linkcode topicProblem} explains. */
  find(topic: string): TopicHeads | undefined {
    if (topic === this.#lastTopic) return this.#last;
    const heads = this.#known.get(topic) ?? this.#add(topic);
    if (heads === undefined) return undefined;
    this.#lastTopic = topic;
    this.#last = heads;
    return heads;
  }

  /** The heads of all topics, which have to be among the fields that follow. */
  get any(): TopicHeads {
    return this.#any;
  }

  /** Whether it is the topic of a reply: one that is valid, and likely used once. */
  isReply(topic: string): boolean {
    // Replies to one client differ only in what follows its inbox.
    const inbox = this.#inbox;
    if (inbox !== "" && topic.startsWith(inbox)) return isName(topic, inbox.length);
    if (!topic.startsWith(INBOX_PREFIX) || !INBOX_TOPIC.test(topic)) return false;
    this.#inbox = topic.slice(0, topic.lastIndexOf(".") + 1);
    return true;
  }

  #add(topic: string): TopicHeads | undefined {
    if (topicProblem(topic) !== undefined) return undefined;
    if (this.#known.size >= MAX_TOPICS) this.#known.clear();
    const heads = new TopicHeads(topic);
    this.#known.set(topic, heads);
    return heads;
  }
}

/** Whether a text has 1 to 64 ASCII letters, digits, `_` or `-` from `start` on. */
function isName(text: string, start: number): boolean {
  const { length } = text;
  if (length === start || length - start > MAX_NAME) return false;
  for (let i = start; i < length; i++) {
    const unit = text.charCodeAt(i);
    const isDigit = unit >= DIGIT_0 && unit <= DIGIT_9;
    const letter = unit | CASE_BIT;
    const isLetter = letter >= LETTER_A && letter <= LETTER_Z;
    if (!isDigit && !isLetter && unit !== UNDERSCORE && unit !== HYPHEN) return false;
  }
  return true;
}
