import type { Requester } from "./requester.ts";
import { inSteps } from "../../base/in_steps.ts";
import { quote } from "../protocol/quote.ts";
import { maySubscribe } from "./routing/rights.ts";
import type { Subscription } from "./routing/subscription.ts";

/** Ended subscriptions to tell the client of before looking at the clock again. */
const PART = 20;

/**
 * Applies a change of a client's rights to its connection. A client that has no rights any more is
 * told so, and its connection ends. Others publish by the new rights from then on, and lose the
 * subscriptions that are forbidden now.
 *
 * @returns A promise if there are subscriptions to look at. It does not reject.
 */
export function applyChangedRights(requester: Requester): Promise<void> | undefined {
  const { principal, ending } = requester;
  if (ending || principal === undefined || principal.current === principal) return undefined;
  if (principal.current === undefined) {
    const message = `${principal.name} may not be connected any more`;
    requester.revoke({ code: "unauthorized", message });
    return undefined;
  }
  requester.identify(principal.current);
  requester.streams?.endForbidden();
  return requester.subscriptions.size === 0 ? undefined : endForbidden(requester);
}

/**
 * Ends all forbidden subscriptions before it tells the client, because telling a slow client may
 * take long.
 */
async function endForbidden(requester: Requester): Promise<void> {
  const { outbox, subscriptions } = requester;
  const ended = await subscriptions.endForbidden(
    (filter) => maySubscribe(requester.principal!, filter),
  );
  let next = 0;
  const tellSome = () => {
    const end = Math.min(next + PART, ended.length);
    for (; next < end; next++) tellEnded(requester, ended[next]!);
    return next === ended.length || requester.ending || outbox.repliesWait;
  };
  while (next < ended.length && !requester.ending) {
    await inSteps(tellSome);
    outbox.flush();
    await outbox.roomForReplies();
  }
}

function tellEnded(requester: Requester, { entry: { filter }, group }: Subscription): void {
  const message = `${requester.principal!.name} may not subscribe to ${quote(filter)} any more`;
  requester.refuse({ code: "forbidden", message }, undefined, { filter, group: group?.name });
}
