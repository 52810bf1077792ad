import type { ClientSubscription } from "./client_subscription.ts";
import type { PubSubMessage } from "./message.ts";

/**
 * Calls a function with each message of a subscription, one after the other, until it ends. Never
 * rejects: what the function throws, and what ends the subscription, goes to `onError`.
 */
export async function callBack(
  subscription: ClientSubscription,
  onMessage: (message: PubSubMessage) => void | Promise<void>,
  onError: ((error: unknown) => void) | undefined,
): Promise<void> {
  try {
    for await (const message of subscription) {
      try {
        await onMessage(message);
      } catch (error) {
        onError?.(error);
      }
    }
  } catch (error) {
    onError?.(error);
  }
}
