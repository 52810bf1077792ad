import type { Frame, FrameHeader } from "../../frame/mod.ts";

/** What a reply may be. */
export type PublishContent = Uint8Array | string;

/** A publication as a subscriber gets it. Its content is memory of its own. */
export class PubSubMessage {
  /** On what it was published. */
  readonly topic: string;
  /** Whether it was there before the subscription: the topic's last value. */
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

  /** The frame as it came over the wire. */
  get bytes(): Uint8Array {
    return this.#frame.bytes;
  }

  /** Where a reply goes, if one is asked for. */
  get replyTo(): string | undefined {
    const { "reply-to": replyTo } = this.header;
    return typeof replyTo === "string" ? replyTo : undefined;
  }

  /** The group by which this client was picked. */
  get group(): string | undefined {
    const { group } = this.header;
    return typeof group === "string" ? group : undefined;
  }

  /** The content as text. @throws {ContentError} if it is none. */
  text(): string {
    return this.#frame.text();
  }

  /** The content as JSON. @throws {ContentError} if it is none. */
  json(): unknown {
    return this.#frame.json();
  }

  /**
   * Answers it.
   *
   * @throws {TypeError} if no reply is asked for. Rejects as `publish` does.
   */
  respond(content: PublishContent): Promise<void> {
    if (this.replyTo === undefined) throw new TypeError("Cannot respond: no reply is asked for");
    return this.#respond(this.replyTo, content);
  }
}
