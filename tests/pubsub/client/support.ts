/** What the tests of clients share. */
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import { encodeFrame, FrameDecoder } from "../../../lib/frame/mod.ts";
import {
  type Broker,
  ClientSubscription,
  PubSubMessage,
  serveBroker,
  type SubscribeOptions,
  type SubscriptionLimits,
  type SubscriptionOwner,
} from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";

/** Waits for reconnections that do not slow a test down. */
export const FAST = { firstMs: 20, longestMs: 100 };

/** Another broker on the port of one that has ended. */
export async function restart(broker: Broker): Promise<Broker> {
  return serveBroker(await listen(broker.address as TcpAddress));
}

/** The code of the error that a promise rejects with, or the error as text; "done" if it resolves. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return deadline(promise.then(() => "done", (error) => error.code ?? String(error)));
}

/** A message as if it had come from a broker. */
export function makeMessage(
  text: string,
  fields: Record<string, unknown> = { topic: "t" },
): PubSubMessage {
  const bytes = encodeFrame({ header: { op: "pub", ...fields }, content: text });
  const frame = new FrameDecoder().decode(bytes).frames[0]!;
  return new PubSubMessage(frame, false, { respond: () => Promise.resolve() });
}

/** A subscription without a client. What it has its client do is noted. */
export function makeSubscription(
  options: SubscribeOptions = {},
  owner: Partial<SubscriptionOwner> = {},
  limits: Partial<SubscriptionLimits> = {},
): { subscription: ClientSubscription; full: boolean[]; unsubscribed: () => number } {
  const full: boolean[] = [];
  let unsubscribed = 0;
  const all = { max: Infinity, maxQueuedMessages: 1_000, maxQueuedBytes: 1_000_000, ...limits };
  const subscription = new ClientSubscription("t", options, all, {
    read: { id: 0, bytes: 0 },
    fullChanged: ({ isFull }) => void full.push(isFull),
    collected: (one) => one.handOut(),
    done() {},
    progressed() {},
    handled() {},
    unsubscribe() {
      unsubscribed++;
      return Promise.resolve();
    },
    tellError(error) {
      throw error;
    },
    ...owner,
  });
  subscription.confirmed = true;
  void subscription.begin();
  return { subscription, full, unsubscribed: () => unsubscribed };
}
