import { aboutPublication, type PubSubError } from "../pubsub_error.ts";
import type { TellError } from "../tell_error.ts";

/** Tells of publications that were not sent, or that the broker refused, and no promise told of. */
export class UnsentReports {
  readonly #tellError: TellError;
  /** The first since the last check. */
  #first: PubSubError | undefined;

  /** There is none. */
  constructor(tellError: TellError) {
    this.#tellError = tellError;
  }

  /** A publication was not sent. */
  readonly tell = (error: PubSubError): void => {
    this.#first ??= error;
    this.#tellError(error, "A publication was not sent");
  };

  /** A publication was not confirmed, or not stored. */
  unconfirmed(error: unknown, topic: string): void {
    const named = aboutPublication(error, topic, "confirmed");
    this.#first ??= named;
    this.#tellError(named, "A publication was not confirmed");
  }

  /** The broker refused a publication. */
  refused(refusal: PubSubError): void {
    this.#first ??= refusal;
    this.#tellError(refusal, "The broker refused a publication");
  }

  /** @throws the first since the last check. Those of this turn of the event loop are among them. */
  async check(): Promise<void> {
    for (let i = 0; i < MICROTASKS && this.#first === undefined; i++) await undefined;
    const first = this.#first;
    this.#first = undefined;
    if (first) throw first;
  }
}

/** After as many, a promise that nobody awaits has told of itself. */
const MICROTASKS = 16;
