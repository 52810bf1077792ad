import type { ClientDeliveries } from "../receiving/client_deliveries.ts";
import type { ClientLink } from "./client_link.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { PubSubError } from "../pubsub_error.ts";

/** The end in order of what a client does on its connection. */
export class Draining {
  /** Why it was given up, if it took too long. */
  failure: PubSubError | undefined;
  #whyLate = () => "there is no connection";

  /**
   * Unsubscribes, lets the program reply to the requests that came, and resolves when the broker has
   * dealt with all that was sent. Rejects if the connection is lost before.
   */
  async run(
    link: ClientLink,
    answers: PendingAnswers,
    deliveries: ClientDeliveries,
  ): Promise<void> {
    const brokerIsLate = this.#whyLate = () => "the broker has not dealt with all that was sent";
    await Promise.all(
      Array.from(
        deliveries.filters(),
        ({ filter, group }) => answers.ask(link, "unsub", { topic: filter, group }),
      ),
    );
    this.#whyLate = () => `requests that the program is not done with: ${deliveries.requests.size}`;
    await deliveries.settled();
    this.#whyLate = brokerIsLate;
    // Its answer comes after those to all that was sent before.
    await answers.ask(link, "ping", {});
  }

  /** It has taken too long. */
  late(limitMs: number): PubSubError {
    const message = `The client could not be drained in ${limitMs} ms: ${this.#whyLate()}`;
    return this.failure ??= new PubSubError("timed-out", message);
  }
}
