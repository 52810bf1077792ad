import { type Report, Reported, reported } from "../../../base/reported_promise.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { NackOptions, Settlement } from "./stream_message.ts";

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
  /** What is told of each delivery. */
  readonly open: Reported<void>[];
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
   * @param report Is told why it failed, if nobody handles that.
   * @throws {PubSubError} `stale-ack`, `disconnected`.
   */
  settle(
    kind: Settlement,
    delivery: number,
    link: ClientLink,
    { delayMs, reason }: NackOptions,
    report: Report,
  ): Promise<void> {
    if (kind !== "ack") {
      const fields = { ...this.#name, deliveries: [delivery], "delay-ms": delayMs, reason };
      return reported(this.#answers.ask(link, kind, fields).then(() => {}), report);
    }
    const { deliveries, open } = this.#batchOf(link);
    const ack = new Reported<void>(report);
    deliveries.push(delivery);
    open.push(ack);
    if (deliveries.length === MAX_DELIVERIES) this.send();
    return ack.promise;
  }

  /** Sends the acknowledgements that wait for further ones. */
  send(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    const { link, deliveries, open } = batch;
    this.#answers.ask(link, "ack", { ...this.#name, deliveries }).then(
      () => open.forEach((ack) => ack.succeed()),
      (error) => {
        const stale = error instanceof PubSubError ? error.stale : undefined;
        deliveries.forEach((delivery, at) => {
          // The others are acknowledged; so is one that was in the request twice, and is stale once.
          const times = (numbers: readonly number[]) =>
            numbers.filter((n) => n === delivery).length;
          const isStale = stale === undefined || times(stale) >= times(deliveries);
          if (isStale) open[at]!.fail(error);
          else open[at]!.succeed();
        });
      },
    );
  }

  #batchOf(link: ClientLink): Batch {
    if (this.#batch?.link === link) return this.#batch;
    this.send();
    this.#seen = this.#quiet = 0;
    if (!this.#isLooking) {
      this.#isLooking = true;
      queueMicrotask(this.#look);
    }
    return this.#batch = { link, deliveries: [], open: [] };
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
