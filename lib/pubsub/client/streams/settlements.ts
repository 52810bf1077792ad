import type { ClientLink } from "../link/client_link.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { ConsumedMessage, NackOptions } from "./stream_message.ts";

/** Deliveries that one request settles at most. */
const MAX_DELIVERIES = 900;

/** Acknowledgements that go out with one request. */
interface Batch {
  readonly link: ClientLink;
  readonly deliveries: number[];
  readonly answer: Promise<void>;
}

/** Settles the deliveries of one consumer: acknowledgements of one turn go out as one request. */
export class Settlements {
  readonly #answers: PendingAnswers;
  readonly #name: { readonly stream: string; readonly consumer: string };
  #batch: Batch | undefined;

  /** For a consumer of a stream. */
  constructor(answers: PendingAnswers, stream: string, consumer: string) {
    this.#answers = answers;
    this.#name = { stream, consumer };
  }

  /**
   * Settles a delivery. Resolves when it is on the broker's disk.
   *
   * @param link The connection on which it came.
   * @throws {PubSubError} `stale-ack`, `disconnected`.
   */
  async settle(
    kind: "ack" | "nack" | "working",
    { delivery }: ConsumedMessage,
    link: ClientLink,
    { delayMs, reason }: NackOptions,
  ): Promise<void> {
    if (kind !== "ack") {
      const fields = { ...this.#name, deliveries: [delivery], "delay-ms": delayMs, reason };
      await this.#answers.ask(link, kind, fields);
      return;
    }
    const batch = this.#batchOf(link);
    batch.deliveries.push(delivery);
    if (batch.deliveries.length === MAX_DELIVERIES) this.#batch = undefined;
    try {
      await batch.answer;
    } catch (error) {
      // The others of the request are acknowledged.
      const stale = error instanceof PubSubError ? error.stale : undefined;
      if (stale === undefined || stale.includes(delivery)) throw error;
    }
  }

  #batchOf(link: ClientLink): Batch {
    if (this.#batch?.link === link) return this.#batch;
    const deliveries: number[] = [];
    const answer = Promise.resolve().then(async () => {
      if (this.#batch?.deliveries === deliveries) this.#batch = undefined;
      await this.#answers.ask(link, "ack", { ...this.#name, deliveries });
    });
    return this.#batch = { link, deliveries, answer };
  }
}
