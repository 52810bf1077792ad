import type { ClientDeliveries } from "../receiving/client_deliveries.ts";
import type { ClientLink } from "./client_link.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";

/**
 * Ends what a client does on its connection: unsubscribes, lets the program reply to the requests
 * that came, and resolves when the broker has dealt with all that was sent. Rejects if the connection
 * is lost before.
 */
export async function drainLink(
  link: ClientLink,
  answers: PendingAnswers,
  deliveries: ClientDeliveries,
): Promise<void> {
  await Promise.all(
    Array.from(
      deliveries.filters(),
      ({ filter, group }) => answers.ask(link, "unsub", { topic: filter, group }),
    ),
  );
  await deliveries.settled();
  // Its answer comes after those to all that was sent before.
  await answers.ask(link, "ping", {});
}
