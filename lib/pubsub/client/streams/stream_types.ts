import type { ConfirmOptions } from "../publishing/publish_options.ts";
import type { ConsumedMessage, StreamMessage } from "./stream_message.ts";

/** How a stream keeps messages. What is left out of an update stays as it is. */
export interface StreamLimits {
  /** Older messages are dropped, in milliseconds. @default {Infinity} */
  readonly maxAgeMs?: number | undefined;
  /** The most bytes of frames; beyond it, what `full` says. @default {Infinity} */
  readonly maxBytes?: number | undefined;
  /** The most messages; beyond it, what `full` says. @default {Infinity} */
  readonly maxCount?: number | undefined;
  /** Beyond `maxBytes` or `maxCount`: drop the oldest messages, or refuse new ones. @default {"drop-oldest"} */
  readonly full?: "drop-oldest" | "refuse" | undefined;
  /** When commits reach the disk: before they are confirmed, or within a second. @default {"always"} */
  readonly sync?: "always" | "interval" | undefined;
}

/** Settings of a new stream. */
export interface StreamInit extends StreamLimits {
  /** Filters of the topics that it keeps. */
  readonly topics: readonly string[];
  /** The most messages of one topic, 1 to 1,000: the oldest are dropped. @default {Infinity} */
  readonly maxPerTopic?: number | undefined;
  /** How long a message id is remembered, in milliseconds. @default {120_000} */
  readonly dedupMs?: number | undefined;
  /**
   * Whether a message goes once all consumers that get it are done with it. One that no consumer's
   * filter matches goes within seconds, unless there is no consumer at all.
   *
   * @default {"limits"}
   */
  readonly keep?: "limits" | "until-acked" | undefined;
}

/** What of a stream may be changed. */
export interface StreamChange extends StreamLimits {
  /** Filters of the topics that it keeps. */
  readonly topics?: readonly string[] | undefined;
}

/** A stream in figures. */
export interface StreamInfo {
  /** Its name. */
  readonly name: string;
  /** Filters of the topics that it keeps. */
  readonly topics: readonly string[];
  /** Limits; `Infinity` where there is none. In milliseconds. */
  readonly maxAgeMs: number;
  /** In bytes of frames. */
  readonly maxBytes: number;
  /** In messages. */
  readonly maxCount: number;
  /** In messages of each topic. */
  readonly maxPerTopic: number;
  /** How long a message id is remembered, in milliseconds. */
  readonly dedupMs: number;
  /** What happens beyond `maxBytes` and `maxCount`. */
  readonly full: "drop-oldest" | "refuse";
  /** When commits reach the disk. */
  readonly sync: "always" | "interval";
  /** How long a message is kept. */
  readonly keep: "limits" | "until-acked";
  /** The number of the first message that may still be kept. */
  readonly firstSeq: number;
  /** The number of the last message; 0 if there never was one. */
  readonly lastSeq: number;
  /** How many messages are kept. */
  readonly count: number;
  /** The bytes of their frames. */
  readonly bytes: number;
  /** How many consumers it has. */
  readonly consumers: number;
}

/** A consumer in figures. */
export interface ConsumerInfo {
  /** Its stream. */
  readonly stream: string;
  /** Its name. */
  readonly consumer: string;
  /** How long a message may stay unacknowledged, in milliseconds. */
  readonly ackWaitMs: number;
  /** Messages that it has not delivered yet; with a filter, the number is an upper bound. */
  readonly pending: number;
  /** Messages that were delivered and are not acknowledged. */
  readonly unacked: number;
  /** Deliveries that were not a message's first, since the broker was started. */
  readonly redelivered: number;
  /** The most deliveries that a message which is not acknowledged has had. */
  readonly attempts: number;
  /** Its dead letters. */
  readonly dead: number;
  /** How long the oldest open delivery has waited, in milliseconds. */
  readonly oldestUnackedMs: number;
  /** Connections that share it. */
  readonly members: number;
}

/** Where reading begins: at the first kept message, what comes, a number, or a time. */
export type ReadFrom = "all" | "new" | number | Date;

/** How to publish what is to be stored. */
export interface StoreOptions extends ConfirmOptions {
  /**
   * Names the publication: the same id within the stream's window is stored once.
   *
   * @default {a random one}
   */
  readonly messageId?: string | undefined;
  /** Stores only if this is the number of the topic's last message; 0 for none. */
  readonly expectSeq?: number | undefined;
}

/** What became of a publication that was to be stored. */
export interface StoredPublication {
  /** The stream that keeps it. */
  readonly stream: string;
  /** Its number there. */
  readonly seq: number;
  /** Whether it was stored before, with the same message id. */
  readonly duplicate: boolean;
}

/** How to read a stream. */
export interface ReplayOptions {
  /** Where to begin; `last` is the last message of each topic, then what comes. @default {"all"} */
  readonly from?: ReadFrom | "last" | undefined;
  /** Only messages on topics that it matches. */
  readonly filter?: string | undefined;
  /** Whether to go on with what comes when all that is kept was read. @default {true} */
  readonly live?: boolean | undefined;
  /** Is called when all that is kept was handed out, once. */
  readonly onCaughtUp?: ((seq: number) => void) | undefined;
  /** Is told how many messages are no longer kept; with a filter, the number is an upper bound. */
  readonly onMissed?: ((count: number) => void) | undefined;
}

/** How to consume. Settings of the consumer are those of a new one, or must be what it has. */
export interface ConsumeOptions {
  /** Where a new consumer begins. @default {"all"} */
  readonly from?: ReadFrom | undefined;
  /** Only messages on topics that it matches. */
  readonly filter?: string | undefined;
  /** How long a message may stay unacknowledged, in milliseconds. @default {30_000} */
  readonly ackWaitMs?: number | undefined;
  /** The most deliveries of a message, which goes to the dead letters then; `0` for no limit. @default {5} */
  readonly maxAttempts?: number | undefined;
  /** The most unacknowledged messages of all members together. @default {256} */
  readonly maxUnacked?: number | undefined;
  /** How long a message waits before each further delivery, in milliseconds. @default {[]} */
  readonly backoffMs?: readonly number[] | undefined;
  /** Messages that this client has at one time. @default {twice the concurrency, else 64} */
  readonly prefetch?: number | undefined;
  /**
   * Is called with each message, instead of an iteration. When it returns, the message is
   * acknowledged; when it throws, it is given back.
   */
  readonly onMessage?: ((message: ConsumedMessage) => unknown) | undefined;
  /** The most calls of `onMessage` that run at the same time. @default {1} */
  readonly concurrency?: number | undefined;
  /** Is told of messages that were dropped before they were acknowledged. */
  readonly onMissed?: ((count: number) => void) | undefined;
}

/** What a handler or a loop gets. */
export type AnyStreamMessage = StreamMessage | ConsumedMessage;
