import type { FrameHeader, StreamedFrame } from "../../../frame/mod.ts";
import type { PublishOptions } from "../publishing/publish_options.ts";

/**
 * What can be published: bytes; a text, which is sent in UTF-8; or
 * `{ header: { "content-length": N }, content: ReadableStream }`, whose N bytes are sent as they are
 * read.
 */
export type PublishContent = Uint8Array | string | StreamedFrame;

/** How to reply to a request. */
export type RespondOptions = Pick<PublishOptions, "contentType" | "fields">;

/** What a message needs of its client. */
export interface Responder {
  /** Publishes a reply to a message, which has a topic for it or has not. */
  respond(
    message: PubSubMessage,
    content: PublishContent,
    options: RespondOptions,
  ): Promise<void>;
}

/** The frame of a message, in memory that is not read into again. */
export interface MessageFrame {
  /** The header, frozen. */
  readonly header: FrameHeader;
  /** The content. A view. */
  readonly content: Uint8Array;
  /** The whole frame. A view. */
  readonly bytes: Uint8Array;
  /** The memory that it lies in, with other frames perhaps. */
  readonly buffer: Uint8Array;
  /** Where the frame begins in its memory. */
  readonly start: number;
  /** Where it ends there. */
  readonly end: number;
  /** The content as text. */
  text(): string;
  /** The content as JSON. */
  json(): unknown;
  /** Copies its bytes into memory of its own. */
  detach(): unknown;
}

/**
 * A publication as a subscriber gets it. It may be kept, and so may its bytes: nothing is read into
 * them again.
 *
 * **Memory.** All messages that came with one read of the socket share the memory of that read: it
 * is in use until the last of them is not, and has at most twice the bytes that came, 128 KiB or what
 * one larger message takes. A program that keeps single small messages for long, in a cache for
 * instance, calls {@linkcode PubSubMessage.detach} to keep no more than their own bytes.
 */
export class PubSubMessage {
  /** Whether it is a retained value, published before the subscription was made. */
  readonly retained: boolean;
  readonly #frame: MessageFrame;
  readonly #responder: Responder;
  #replied = false;

  /** Made by a client, of a frame in memory that is not read into again. */
  constructor(frame: MessageFrame, retained: boolean, responder: Responder) {
    this.#frame = frame;
    this.retained = retained;
    this.#responder = responder;
  }

  /** The topic that it was published on. */
  get topic(): string {
    return this.#frame.header["topic"] as string;
  }

  /** The whole header, frozen, with any fields that the publisher added. */
  get header(): FrameHeader {
    return this.#frame.header;
  }

  /** The bytes of the content: a view of the memory that the message shares. */
  get content(): Uint8Array {
    return this.#frame.content;
  }

  /**
   * The whole frame, length, header and content, as it came over the wire; that of a message which came
   * with others in one frame, as it was published. A view likewise.
   */
  get bytes(): Uint8Array {
    return this.#frame.bytes;
  }

  /** The size of that frame in bytes. */
  get frameBytes(): number {
    return this.#frame.end - this.#frame.start;
  }

  /** The topic for a reply; `undefined` if the publisher wants none. */
  get replyTo(): string | undefined {
    const { "reply-to": replyTo } = this.header;
    return typeof replyTo === "string" ? replyTo : undefined;
  }

  /** Whether this client has replied to it. */
  get replied(): boolean {
    return this.#replied;
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
   * Copies its bytes into memory of its own, so that keeping it keeps nothing else. Views that were
   * taken before stay as they are. Returns the same message.
   */
  detach(): this {
    this.#frame.detach();
    return this;
  }

  /**
   * Publishes a reply. While the client drains, requests that came before may still be replied to.
   *
   * @returns A promise that resolves and rejects as that of `BrokerClient.publish`.
   * @throws {TypeError} if the publisher wants no reply; as a rejection.
   */
  respond(content: PublishContent = "", options: RespondOptions = {}): Promise<void> {
    this.#replied = true;
    return this.#responder.respond(this, content, options);
  }
}
