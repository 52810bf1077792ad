import type { NatsMessage } from "./nats_message.ts";

/** What a subscription is told of. */
export interface SubscriptionEvents {
  /** @param message Holds good only during the call. */
  received(message: NatsMessage): void;
  /** The server does not permit it; it is over. */
  refused?(reason: string): void;
}

/** A subscription of a connection to NATS, which goes on when that is made again. */
export interface CoreSubscription {
  readonly sid: number;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly events: SubscriptionEvents;
}

const VIOLATION = /^permissions violation for subscription to "(.+?)"(?: using queue "(.+)")?/i;

/** What a client has subscribed to at NATS. */
export class CoreSubscriptions {
  readonly #bySid = new Map<number, CoreSubscription>();
  #last = 0;

  /** Adds one, under a number of its own. */
  add(subject: string, queue: string | undefined, events: SubscriptionEvents): CoreSubscription {
    const subscription = { sid: ++this.#last, subject, queue, events };
    this.#bySid.set(subscription.sid, subscription);
    return subscription;
  }

  remove({ sid }: CoreSubscription): void {
    this.#bySid.delete(sid);
  }

  /** Hands a message to its subscription, if that is not over. */
  received(message: NatsMessage): void {
    this.#bySid.get(message.sid)?.events.received(message);
  }

  /** Ends the subscriptions that a server refuses by this, if it is about any. */
  refused(reason: string): void {
    const [, subject, queue] = VIOLATION.exec(reason) ?? [];
    if (subject === undefined) return;
    for (const each of [...this.#bySid.values()]) {
      if (each.subject !== subject || each.queue !== queue) continue;
      this.remove(each);
      each.events.refused?.(reason);
    }
  }

  /** The lines that begin all of them, for a server that does not know them yet. */
  get lines(): string {
    return [...this.#bySid.values()].map(subscribeLine).join("");
  }
}

/** The line that begins a subscription. */
export function subscribeLine({ sid, subject, queue }: CoreSubscription): string {
  return queue === undefined ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`;
}
