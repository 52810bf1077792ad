import { checkOptions } from "../../../base/option_kinds.ts";
import { msOption, numericOption } from "../../../base/numeric_options.ts";
import { isWholeNumber } from "../../protocol/whole_number.ts";
import { PubSubError } from "../pubsub_error.ts";
import { type MessageFrame, PubSubMessage, type Responder } from "../receiving/message.ts";

/** What the broker says of a message beside what its publisher did. */
export interface DeliveryFields {
  /** The stream that keeps it. */
  readonly stream: string;
  /** Its number there. */
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
  /** To whom it is delivered, if to a consumer. */
  readonly consumer?: string | undefined;
  /** The number of this delivery. */
  readonly delivery?: number | undefined;
  /** Which delivery of the message this is: 1 for the first. */
  readonly attempt?: number | undefined;
}

/** A number of a message or a delivery. @throws {PubSubError} `disconnected` if the broker sent none. */
export function placeOf(number: unknown): number {
  if (isWholeNumber(number)) return number;
  throw new PubSubError("disconnected", "The broker sent a message of a stream without its number");
}

/** A message of a stream. */
export class StreamMessage extends PubSubMessage {
  readonly #fields: DeliveryFields;

  /** Made by a client. */
  constructor(frame: MessageFrame, fields: DeliveryFields, responder: Responder) {
    super(frame, false, responder);
    this.#fields = fields;
  }

  /** The stream that keeps it. */
  get stream(): string {
    return this.#fields.stream;
  }

  /** Its number there. */
  get seq(): number {
    return this.#fields.seq;
  }

  /** When it was stored, in milliseconds since 1970. */
  get time(): number {
    return this.#fields.time;
  }
}

/** How long a message may be put off. */
const DELAY = msOption(undefined);

/** How to give a message back. */
export interface NackOptions {
  /** When it is delivered again, in milliseconds, up to a week. @default {as the consumer's backoff says} */
  readonly delayMs?: number | undefined;
  /** Why, told in the dead letter; at most 256 bytes. */
  readonly reason?: string | undefined;
}

/** What becomes of a delivery: it is acknowledged, given back, or still worked on. */
export type Settlement = "ack" | "nack" | "working";

/** What a {@linkcode ConsumedMessage} needs of its client. */
export interface Settler {
  /** Settles a delivery. What nobody handles of its failure is reported. */
  settle(
    kind: Settlement,
    message: ConsumedMessage,
    options: NackOptions,
  ): Promise<void>;
  /** A rejected promise of the same kind, for what is not even asked of the broker. */
  refused(kind: Settlement, message: ConsumedMessage, error: unknown): Promise<void>;
}

/**
 * A message that is to be worked off: acknowledged, or given back. The promises that say so need not be
 * awaited: where nobody handles their rejection, the client's `onError` is told.
 */
export class ConsumedMessage extends StreamMessage {
  readonly #fields: DeliveryFields;
  readonly #settler: Settler;
  #isSettled = false;
  #isDecided = false;

  /** Made by a client. */
  constructor(
    frame: MessageFrame,
    fields: DeliveryFields,
    responder: Responder,
    settler: Settler,
  ) {
    super(frame, fields, responder);
    this.#fields = fields;
    this.#settler = settler;
  }

  /** The consumer. */
  get consumer(): string {
    return this.#fields.consumer!;
  }

  /** The number of this delivery. */
  get delivery(): number {
    return this.#fields.delivery!;
  }

  /** Which delivery of the message this is: 1 for the first. */
  get attempt(): number {
    return this.#fields.attempt!;
  }

  /** Whether it was acknowledged or given back. */
  get settled(): boolean {
    return this.#isSettled;
  }

  /**
   * Whether the program has said what becomes of it, even with options that will not do: then it is not
   * acknowledged because a handler returns.
   *
   * @internal
   */
  get decided(): boolean {
    return this.#isDecided;
  }

  /**
   * Acknowledges it. Resolves when that is on the broker's disk: it is not delivered again then.
   *
   * @throws {PubSubError} `stale-ack` if its time is up, or the connection on which it came was lost:
   * it is delivered again; `disconnected` if it is not known.
   */
  ack(): Promise<void> {
    this.#isDecided = this.#isSettled = true;
    return this.#settler.settle("ack", this, {});
  }

  /**
   * Gives it back: it is delivered again.
   *
   * @throws {PubSubError} as `ack` does.
   * @throws {TypeError | RangeError} if `delayMs` is no time.
   */
  nack(options: NackOptions = {}): Promise<void> {
    this.#isDecided = true;
    try {
      checkOptions(options, { reason: "text" });
      const delayMs = numericOption("delayMs", options.delayMs, DELAY);
      this.#isSettled = true;
      const whole = delayMs === undefined ? undefined : Math.ceil(delayMs);
      return this.#settler.settle("nack", this, { ...options, delayMs: whole });
    } catch (error) {
      return this.#settler.refused("nack", this, error);
    }
  }

  /** Says that it is still being worked on: the wait begins anew. @throws {PubSubError} as `ack`. */
  working(): Promise<void> {
    return this.#settler.settle("working", this, {});
  }
}
