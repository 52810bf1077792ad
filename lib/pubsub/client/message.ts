import type { Frame, FrameHeader, StreamedFrame } from "../../frame/mod.ts";

/**
 * What can be published: bytes; a text, which is sent in UTF-8; or
 * `{ header: { "content-length": N }, content: ReadableStream }`, whose N bytes are sent as they are
 * read.
 */
export type PublishContent = Uint8Array | string | StreamedFrame;

/** A publication as a subscriber gets it. It owns its bytes: they may be kept. */
export class PubSubMessage {
  /** The topic that it was published on. */
  readonly topic: string;
  /** Whether it is a retained value, published before the subscription was made. */
  readonly retained: boolean;
  readonly #frame: Frame;
  readonly #respond: (topic: string, content: PublishContent) => Promise<void>;

  /** Made by a client, of a frame that owns its bytes. */
  constructor(
    frame: Frame,
    retained: boolean,
    respond: (topic: string, content: PublishContent) => Promise<void>,
  ) {
    this.topic = frame.header["topic"] as string;
    this.retained = retained;
    this.#frame = frame;
    this.#respond = respond;
  }

  /** The whole header, frozen, with any fields that the publisher added. */
  get header(): FrameHeader {
    return this.#frame.header;
  }

  /** The bytes of the content. */
  get content(): Uint8Array {
    return this.#frame.content;
  }

  /** The whole frame as it came over the wire: length, header and content. */
  get bytes(): Uint8Array {
    return this.#frame.bytes;
  }

  /** The topic for a reply; `undefined` if the publisher wants none. */
  get replyTo(): string | undefined {
    const { "reply-to": replyTo } = this.header;
    return typeof replyTo === "string" ? replyTo : undefined;
  }

  /** The group as whose member this client got it; `undefined` if it came for the client alone. */
  get group(): string | undefined {
    const { group } = this.header;
    return typeof group === "string" ? group : undefined;
  }

  /** The content as text. @throws {ContentError} if it is not text in its `content-encoding`. */
  text(): string {
    return this.#frame.text();
  }

  /**
   * The content as JSON.
   *
   * @typeParam T What the caller expects it to be; it is not checked.
   * @throws {ContentError} if it is not JSON.
   */
  json<T = unknown>(): T {
    return this.#frame.json() as T;
  }

  /**
   * Publishes a reply.
   *
   * @returns A promise that resolves and rejects as that of `BrokerClient.publish`.
   * @throws {TypeError} if the publisher wants no reply.
   */
  respond(content: PublishContent): Promise<void> {
    if (this.replyTo === undefined) {
      throw new TypeError(`Cannot respond to ${this.topic}: its publisher wants no reply`);
    }
    return this.#respond(this.replyTo, content);
  }
}
