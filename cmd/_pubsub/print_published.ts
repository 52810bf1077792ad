import { aborted } from "../../lib/base/aborted.ts";
import { before } from "../../lib/base/before.ts";
import type {
  BrokerClient,
  ClientSubscription,
  SlowPolicy,
  SubscribeOptions,
} from "../../lib/pubsub/client/mod.ts";
import { filterCovers } from "../../lib/pubsub/protocol/topic.ts";
import { type Context, formatCount, type Log } from "../_cli/mod.ts";
import type { PrintOptions } from "./incoming.ts";
import { Replier } from "./replier.ts";
import type { SubBounds } from "./sub_bounds.ts";
import { TakenMessages } from "./taken_messages.ts";

/** The values of the flags of `sub` for what is published from here on. */
export interface PublishedFlags {
  readonly retained: boolean;
  readonly group: string | undefined;
  readonly slow: SlowPolicy;
  readonly reply: string | undefined;
  readonly "reply-timeout": number;
  readonly "max-reply": number;
  readonly parallel: number;
  readonly "drain-timeout": number;
}

/**
 * Subscribes, and prints what comes until there is enough or the time is over. Resolves to the exit
 * code.
 */
export async function printPublished(
  client: BrokerClient,
  filters: readonly string[],
  flags: PublishedFlags,
  printing: PrintOptions,
  bounds: SubBounds,
  context: Context,
): Promise<number | undefined> {
  const { log, signal } = context;
  const { retained, group, slow } = flags;
  const { count, timeUp } = bounds;
  const replier = replierOf(flags, log);
  const taken = new TakenMessages({ count, retained, printing, replier }, context);
  /** Aborted when it is to end, however much has come. */
  const ending = AbortSignal.any([signal, timeUp]);
  // An interruption leaves time to answer, by --drain-timeout.
  void aborted(timeUp).then(() => replier?.stop());
  try {
    const subscribing = subscribeAll(client, filters, { group, slow }, taken);
    const subscriptions = await Promise.race([subscribing, aborted(ending)]);
    if (subscriptions === undefined) {
      subscribing.catch(() => {});
      await client.close();
      if (signal.aborted) return undefined;
      throw bounds.unconfirmed("the subscription");
    }
    log.detail(`subscribed to ${filters.join(", ")}`);
    if (retained) {
      // They are on their way, and are printed in the end.
      const due = subscriptions.reduce((sum, { retained }) => sum + retained, 0);
      log.detail(formatCount(due, "retained message"));
    } else await untilEnough(client, taken, ending);
    const wanted = taken.isComplete ? [] : subscriptions;
    await finish(client, wanted, replier, ending, flags["drain-timeout"]);
  } finally {
    await replier?.stop();
  }
  return signal.aborted || retained ? undefined : bounds.exitCode(taken.count, log);
}

function replierOf(flags: PublishedFlags, log: Log): Replier | undefined {
  const { reply, parallel, "reply-timeout": timeoutMs, "max-reply": maxBytes } = flags;
  return reply === undefined
    ? undefined
    : new Replier(reply, { timeoutMs, parallel, maxBytes }, log);
}

/** Waits until there is enough, or it is to end. @throws what the client ended with. */
async function untilEnough(
  client: BrokerClient,
  taken: TakenMessages,
  ending: AbortSignal,
): Promise<void> {
  const closed = client.finished.then((error) => {
    if (error !== undefined) throw error;
  });
  await Promise.race([taken.complete, aborted(ending), closed]);
}

function subscribeAll(
  client: BrokerClient,
  filters: readonly string[],
  options: SubscribeOptions,
  taken: TakenMessages,
): Promise<ClientSubscription[]> {
  return Promise.all(
    filters.map((filter, i) =>
      client.subscribe(filter, {
        ...options,
        onMissed: (missed) => taken.missed(missed),
        onMessage(message) {
          // Each filter brings the retained values that match: the first that does prints them.
          const isRepeated = message.retained &&
            filters.slice(0, i).some((earlier) => filterCovers(earlier, message.topic));
          return isRepeated ? undefined : taken.take(message);
        },
      })
    ),
  );
}

/**
 * Ends in order: what the broker has handed out is printed and answered.
 *
 * @param subscriptions Those of which more is wanted.
 * @param limitMs How long it may take once `ending` is aborted.
 */
async function finish(
  client: BrokerClient,
  subscriptions: readonly ClientSubscription[],
  replier: Replier | undefined,
  ending: AbortSignal,
  limitMs: number,
): Promise<void> {
  let isLate = false;
  // Without a connection no answer can be sent.
  if (client.state === "connected" || !ending.aborted) {
    const drained = Promise.all(subscriptions.map(drain)).then(() => replier?.settled());
    isLate = await isAbortedBefore(Promise.race([drained, client.finished]), ending, limitMs);
  }
  await replier?.stop();
  if (isLate || client.state !== "connected") await client.close();
  else await client.drain().catch(() => {});
  await Promise.all(subscriptions.map((subscription) => subscription.taken));
  replier?.tellUnanswered();
}

/** Ends a subscription once all that the broker has handed out for it is taken. */
async function drain(subscription: ClientSubscription): Promise<void> {
  await subscription.drain(Infinity).catch(() => {});
  await subscription.taken;
}

/** Whether a promise is still unsettled this long after a signal was aborted. */
async function isAbortedBefore(
  promise: Promise<unknown>,
  signal: AbortSignal,
  ms: number,
): Promise<boolean> {
  const isFirst = await Promise.race([
    promise.then(() => false),
    aborted(signal).then(() => true),
  ]);
  return isFirst && !await before(promise, ms);
}
