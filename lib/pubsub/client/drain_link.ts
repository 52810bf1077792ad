import type { ClientLink } from "./client_link.ts";
import type { LocalFilter } from "./local_filters.ts";
import type { PendingAnswers } from "./pending_answers.ts";

/**
 * Ends what a client does on its connection: unsubscribes, and resolves when the broker has dealt
 * with all that was sent. Rejects if the connection is lost before.
 */
export async function drainLink(
  link: ClientLink,
  answers: PendingAnswers,
  filters: Iterable<LocalFilter>,
): Promise<void> {
  await Promise.all(
    [...filters].map(({ filter, group }) => answers.ask(link, "unsub", { topic: filter, group })),
  );
  // Its answer comes after those to all that was sent before.
  await answers.ask(link, "ping", {});
}
