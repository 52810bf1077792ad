import type { ClientSubscription } from "./client_subscription.ts";
import type { PubSubMessage } from "./message.ts";
import { PubSubError } from "./pubsub_error.ts";
import type { TellError } from "./tell_error.ts";

/**
 * Calls a function with each message of a subscription, one after the other, until it ends. Never
 * rejects: tells what the function throws, and why the broker ended the subscription.
 */
export async function callBack(
  subscription: ClientSubscription,
  onMessage: (message: PubSubMessage) => void | Promise<void>,
  tellError: TellError,
): Promise<void> {
  try {
    for await (const message of subscription) {
      try {
        await onMessage(message);
      } catch (error) {
        tellError(error, `The callback onMessage of ${subscription.filter} failed`);
      }
    }
  } catch (error) {
    // That the whole client is closed is told elsewhere, once.
    if (error instanceof PubSubError && error.code === "closed") return;
    tellError(error, `The subscription to ${subscription.filter} ended`);
  }
}
