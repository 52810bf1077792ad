import type { ClientLink } from "../link/client_link.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { NackOptions } from "./stream_message.ts";

/** Deliveries that one request settles at most. */
const MAX_DELIVERIES = 900;

/**
 * Acknowledgements go out once as many turns of the queue of microtasks have passed without a further
 * one. A loop over messages that are there takes about four turns for each.
 */
const QUIET_TURNS = 16;

/** Acknowledgements that go out with one request. */
interface Batch {
  readonly link: ClientLink;
  readonly deliveries: number[];
  readonly answer: PromiseWithResolvers<void>;
}

/**
 * Settles the deliveries of one consumer. Acknowledgements of messages that are worked off one after the
 * other, without waiting for anything in between, go out as one request.
 */
export class Settlements {
  readonly #answers: PendingAnswers;
  readonly #name: { readonly stream: string; readonly consumer: string };
  #batch: Batch | undefined;
  /** How many acknowledgements the batch had when it was last looked at, and for how many turns. */
  #seen = 0;
  #quiet = 0;
  #isLooking = false;

  /** For a consumer of a stream. */
  constructor(answers: PendingAnswers, stream: string, consumer: string) {
    this.#answers = answers;
    this.#name = { stream, consumer };
  }

  /**
   * Settles a delivery. Resolves when that is on the broker's disk.
   *
   * @param link The connection on which it came.
   * @throws {PubSubError} `stale-ack`, `disconnected`.
   */
  settle(
    kind: "ack" | "nack" | "working",
    delivery: number,
    link: ClientLink,
    { delayMs, reason }: NackOptions,
  ): Promise<void> {
    if (kind !== "ack") {
      const fields = { ...this.#name, deliveries: [delivery], "delay-ms": delayMs, reason };
      return this.#answers.ask(link, kind, fields).then(() => {});
    }
    const { deliveries, answer } = this.#batchOf(link);
    deliveries.push(delivery);
    if (deliveries.length === MAX_DELIVERIES) this.send();
    return answer.promise.catch((error) => {
      // The others of the request are acknowledged; so is one that was in it twice, and is stale once.
      const stale = error instanceof PubSubError ? error.stale : undefined;
      const times = (numbers: readonly number[]) => numbers.filter((n) => n === delivery).length;
      if (stale === undefined || times(stale) >= times(deliveries)) throw error;
    });
  }

  /** Sends the acknowledgements that wait for further ones. */
  send(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    const { link, deliveries, answer } = batch;
    this.#answers.ask(link, "ack", { ...this.#name, deliveries })
      .then(() => answer.resolve(), answer.reject);
  }

  #batchOf(link: ClientLink): Batch {
    if (this.#batch?.link === link) return this.#batch;
    this.send();
    this.#seen = this.#quiet = 0;
    if (!this.#isLooking) {
      this.#isLooking = true;
      queueMicrotask(this.#look);
    }
    return this.#batch = { link, deliveries: [], answer: Promise.withResolvers() };
  }

  readonly #look = (): void => {
    const count = this.#batch?.deliveries.length ?? 0;
    this.#quiet = count === this.#seen ? this.#quiet + 1 : 0;
    this.#seen = count;
    if (this.#quiet >= QUIET_TURNS) this.send();
    if (this.#batch) queueMicrotask(this.#look);
    else this.#isLooking = false;
  };
}
