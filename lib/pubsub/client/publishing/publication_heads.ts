import { type EncodedHead, encodeHead } from "../../../frame/mod.ts";
import { INBOX_PREFIX, topicProblem } from "../../protocol/topic.ts";

/** How many topics are remembered. A program that uses more begins anew from time to time. */
const MAX_TOPICS = 256;

/** Topics for replies as brokers and clients make them: they are valid, and each is used once. */
const INBOX_TOPIC = /^_inbox\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$/;

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

  /**
   * The heads of all topics, and the fields that have to follow with this one: for the topic of a
   * reply. `undefined` if it is no such topic.
   */
  once(topic: string): { readonly heads: TopicHeads; readonly fields: string } | undefined {
    if (!topic.startsWith(INBOX_PREFIX) || !INBOX_TOPIC.test(topic)) return undefined;
    return { heads: this.#any, fields: `,"topic":"${topic}"` };
  }

  #add(topic: string): TopicHeads | undefined {
    if (topicProblem(topic) !== undefined) return undefined;
    if (this.#known.size >= MAX_TOPICS) this.#known.clear();
    const heads = new TopicHeads(topic);
    this.#known.set(topic, heads);
    return heads;
  }
}
