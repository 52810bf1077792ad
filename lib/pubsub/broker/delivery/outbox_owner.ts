import type { Subscription } from "../routing/subscription.ts";

/** The session that an outbox belongs to. It is called outside any iteration, and may end itself. */
export interface OutboxOwner {
  /** Publishers have stopped waiting for this connection. */
  tooSlow(): void;
  /** More came than may wait, and the subscription's policy is `disconnect`. */
  overflowed(): void;
  /** A subscription has had as many publications as it wanted, and is to be ended. */
  completed(subscription: Subscription): void;
}
