import { checkOptions, type OptionKinds } from "../../../base/option_kinds.ts";
import { bytesOption, countOption, numericOptions } from "../../../base/numeric_options.ts";
import { filterProblem, groupProblem } from "../../protocol/topic.ts";
import { isSlowPolicy, type SlowPolicy } from "../../protocol/slow_policy.ts";
import type { ClientLimits } from "../client_options.ts";
import type { PubSubMessage } from "./message.ts";
import type { MissedPublications } from "./missed_publications.ts";
import { PubSubError } from "../pubsub_error.ts";

/** How to subscribe. */
export interface SubscribeOptions {
  /** Shares the publications with all connections in the group of this name. */
  readonly group?: string | undefined;
  /**
   * What becomes of publications while this client does not keep up: in the broker while the client
   * does not read, and by the same rules in the client for what is above the subscription's bounds.
   * There, `disconnect` ends the subscription with the error `slow-consumer`, and `block` leaves out
   * what is new above twice the bounds.
   *
   * @default {"drop-oldest"}
   */
  readonly slow?: SlowPolicy | undefined;
  /** Does not get what this client publishes; a retained value it gets. @default {false} */
  readonly noLocal?: boolean | undefined;
  /**
   * Ends after this many messages. Retained ones count, and those that were left out too.
   *
   * @default {Infinity}
   */
  readonly max?: number | undefined;
  /**
   * Messages that may wait until the program takes them. @default {the client's `maxQueuedMessages`}
   */
  readonly maxQueuedMessages?: number | undefined;
  /**
   * Bytes of messages that may wait until the program takes them, with 256 for each besides its
   * frame. @default {the client's `maxQueuedBytes`}
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Is called with each message, in order; the next waits until the promise it returns resolves.
   * Without it the messages are read by iterating over the subscription. What it throws goes to the
   * client's `onError`.
   */
  readonly onMessage?: ((message: PubSubMessage) => void | Promise<void>) | undefined;
  /**
   * Is called with all messages that came with one read of the socket, or waited meanwhile, in
   * order: instead of `onMessage`, for programs to which many small messages come. The array is the
   * program's. Else it is as `onMessage`.
   */
  readonly onMessages?: ((messages: PubSubMessage[]) => void | Promise<void>) | undefined;
  /**
   * Is told of what was missed, between the messages where it would have stood. What it throws goes
   * to the client's `onError`.
   */
  readonly onMissed?: ((missed: MissedPublications) => void) | undefined;
}

/** The limits of a subscription, checked. */
export interface SubscriptionLimits {
  /** How many messages come at most. */
  readonly max: number;
  /** How many may wait. */
  readonly maxQueuedMessages: number;
  /** How many bytes of them may wait. */
  readonly maxQueuedBytes: number;
}

const KINDS: OptionKinds<SubscribeOptions> = {
  noLocal: "flag",
  onMessage: "function",
  onMessages: "function",
  onMissed: "function",
};

/**
 * Checks how somebody wants to subscribe.
 *
 * @throws {PubSubError} `bad-filter`, `bad-group` or `bad-field`.
 * @throws {TypeError | RangeError} if an option is not what it has to be, or there are two callbacks
 * for messages.
 */
export function checkSubscription(
  filter: string,
  options: SubscribeOptions,
  client: ClientLimits,
): SubscriptionLimits {
  checkOptions(options, KINDS);
  const problem = filterProblem(filter);
  if (problem) throw new PubSubError("bad-filter", `Cannot subscribe to ${filter}: ${problem}`);
  const { group, slow } = options;
  const fault = group === undefined ? undefined : groupProblem(group);
  if (fault) throw new PubSubError("bad-group", `Cannot join the group ${group}: ${fault}`);
  if (slow !== undefined && !isSlowPolicy(slow)) {
    throw new PubSubError("bad-field", `Cannot subscribe to ${filter}: slow is no policy: ${slow}`);
  }
  if (options.onMessage !== undefined && options.onMessages !== undefined) {
    throw new TypeError(`Cannot subscribe to ${filter}: give onMessage or onMessages, not both`);
  }
  return numericOptions({
    max: countOption(Infinity, 1),
    maxQueuedMessages: countOption(client.maxQueuedMessages, 1),
    maxQueuedBytes: bytesOption(client.maxQueuedBytes),
  }, options);
}
