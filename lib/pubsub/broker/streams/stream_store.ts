/**
 * What a broker asks of a store of streams. {@linkcode openStreamStore} makes one in a folder on
 * this machine; another store may keep the same promises elsewhere.
 *
 * @module
 */
import type { Frame } from "../../../frame/mod.ts";
import type { StreamError } from "./stream_error.ts";

/** Which consumers of a stream are told. */
export interface ConsumerSelection {
  /** Only that one, if it exists. */
  readonly only?: string | undefined;
  /** Only those whose names come after this one. */
  readonly after?: string | undefined;
  /** The most that are given, the first ones. */
  readonly most?: number | undefined;
}

/** What is done with a publication that goes beyond a stream's limits. */
export type FullPolicy = "drop-oldest" | "refuse";
/** When a commit of a stream reaches the disk: before it is told, or within a second. */
export type SyncPolicy = "always" | "interval";
/** How long a message is kept: to the stream's limits, or until its consumers acknowledged it. */
export type KeepPolicy = "limits" | "until-acked";

/** How a stream keeps what is published. Limits that are `Infinity` do not exist. */
export interface StreamSettings {
  /** Filters of the topics that it keeps. Those of two streams never overlap. */
  readonly topics: readonly string[];
  /** Messages older than this are dropped, in milliseconds. */
  readonly maxAgeMs: number;
  /** Above this many bytes of frames, the oldest are dropped or new ones refused. */
  readonly maxBytes: number;
  /** Above this many messages, the same happens. */
  readonly maxCount: number;
  /** How many messages of each topic are kept. */
  readonly maxPerTopic: number;
  /** How long a message id is remembered, in milliseconds. */
  readonly dedupMs: number;
  /** What happens beyond `maxBytes` and `maxCount`. */
  readonly full: FullPolicy;
  /** When commits reach the disk. */
  readonly sync: SyncPolicy;
  /** How long a message is kept. */
  readonly keep: KeepPolicy;
}

/** A stream in figures. */
export interface StreamFigures {
  /** Its name. */
  readonly name: string;
  /** How it keeps messages. */
  readonly settings: StreamSettings;
  /** The number of the first message that may still be kept. */
  readonly firstSeq: number;
  /** The number of the last message that was stored; 0 if none ever was. */
  readonly lastSeq: number;
  /** How many messages are kept. */
  readonly count: number;
  /** The bytes of their frames. */
  readonly bytes: number;
  /** How many consumers it has. */
  readonly consumers: number;
}

/** Where reading begins: at the first kept message, at each topic's last one, at what comes, … */
export type StreamStart =
  | { readonly from: "all" | "last" | "new" }
  | { readonly fromSeq: number }
  | { readonly fromTimeMs: number };

/** How the messages of a consumer are delivered. */
export interface ConsumerSettings {
  /** A filter within the stream; without it, all of its messages. */
  readonly topic: string | undefined;
  /** How long a delivery may stay unacknowledged before it is delivered again, in milliseconds. */
  readonly ackWaitMs: number;
  /** After this many deliveries, a message goes to the dead letters; `0` for never. */
  readonly maxAttempts: number;
  /** How many messages may be delivered, or wait to be delivered again, at one time. */
  readonly maxUnacked: number;
  /** How long a message waits before each further delivery; the last one counts for all after it. */
  readonly backoffMs: readonly number[];
}

/** A consumer in figures. */
export interface ConsumerFigures {
  /** Its stream. */
  readonly stream: string;
  /** Its name. */
  readonly consumer: string;
  /** How it delivers. */
  readonly settings: ConsumerSettings;
  /** The number of the next message that it has not delivered yet. */
  readonly position: number;
  /** Messages behind its position; with a filter, an upper bound of those that it gets. */
  readonly pending: number;
  /** Messages that were delivered and are not acknowledged. */
  readonly unacked: number;
  /** Deliveries since the store was opened that were not a message's first. */
  readonly redelivered: number;
  /** The most deliveries that a message which is not acknowledged has had. */
  readonly attempts: number;
  /** Its dead letters. */
  readonly dead: number;
  /** How long the oldest open delivery has waited for an acknowledgement, in milliseconds. */
  readonly oldestUnackedMs: number;
  /** Connections that share it. */
  readonly members: number;
}

/** All streams and consumers of a store, in figures. */
export interface StreamTotals {
  /** How many streams there are, without that of the dead letters. */
  readonly streams: number;
  /** Messages that they keep. */
  readonly messages: number;
  /** The bytes of their frames. */
  readonly bytes: number;
  /** How many consumers there are. */
  readonly consumers: number;
  /** Messages that consumers have not delivered yet; with filters, an upper bound. */
  readonly pending: number;
  /** Messages that were delivered and are not acknowledged. */
  readonly unacked: number;
  /** Deliveries since the store was opened that were not a message's first. */
  readonly redelivered: number;
  /** Dead letters. */
  readonly dead: number;
  /** How long the oldest open delivery has waited for an acknowledgement, in milliseconds. */
  readonly oldestUnackedMs: number;
}

/** What became of a publication. */
export interface Stored {
  /** Its number in the stream. */
  readonly seq: number;
  /** Whether it was stored before, with the same message id. */
  readonly duplicate: boolean;
}

/** Is told what became of a publication, after the commit. */
export type OnStored = (outcome: Stored | StreamError) => void;

/** What is read of a stream, and how. */
export interface ReaderInit {
  /** The stream's name. */
  readonly stream: string;
  /** The connection that reads: what several ask for is read by turns. */
  readonly owner: number;
  /** The number that all frames for it repeat. */
  readonly sid: number;
  /** Where reading begins. */
  readonly start: StreamStart;
  /** Only messages that this filter matches; without it, all. */
  readonly topic: string | undefined;
  /** Whether it takes many messages in one frame, with the op `run`. */
  readonly runs: boolean;
}

/** What a reader gets in one go. */
export interface ReadBatch {
  /**
   * Frames to send, one behind the other; empty if none of those looked at matched. The memory is
   * the caller's until it gives it back; of a reader without {@linkcode StreamReader.release} it is
   * written to again at the next `read`.
   */
  readonly bytes: Uint8Array;
  /** How many messages these are. */
  readonly count: number;
  /** Messages that were asked for and are no longer kept, before the first frame. */
  readonly missed: number;
}

/** Reads a stream from one place on: what is kept, then what comes. */
export interface StreamReader {
  /** The number of the next message that it looks at. */
  readonly next: number;
  /** Whether it has handed out all that was stored before it began. */
  readonly caughtUp: boolean;
  /**
   * The next frames, once there are some, each with the fields `sid`, `stream`, `seq` and `time`
   * behind the publisher's. Resolves without any when it has just caught up, and to `undefined` when
   * the reader is closed.
   *
   * @throws {StreamError} `no-stream` once the stream is deleted; `storage-failed`.
   */
  read(): Promise<ReadBatch | undefined>;
  /**
   * Begins to read what the next `read` gives, while the last is being sent. Called where the peer
   * keeps up.
   */
  prepare?(): void;
  /** What a `read` gave is sent: its memory is used for others. */
  release?(batch: ReadBatch): void;
  /** Ends it. */
  close(): void;
}

/** What a connection gets of a consumer's messages in one go. */
export interface DeliveryBatch {
  /** Frames to send, one behind the other, in memory that is the caller's. */
  readonly bytes: Uint8Array;
  /** How many messages these are. */
  readonly count: number;
  /** Messages that retention dropped before they were acknowledged. */
  readonly missed: number;
}

/** One connection's share in a consumer. */
export interface ConsumerMember {
  /** The consumer as it was when the connection joined. */
  readonly figures: ConsumerFigures;
  /**
   * The next deliveries, once there are some, each with the fields `sid`, `stream`, `consumer`,
   * `seq`, `time`, `delivery` and `attempt` behind the publisher's. Resolves to `undefined` when the
   * member is closed.
   *
   * @throws {StreamError} `no-consumer` once the consumer is deleted; `storage-failed`.
   */
  take(): Promise<DeliveryBatch | undefined>;
  /**
   * Ends it; its open deliveries go back at once.
   *
   * @param counted Whether they count as attempts: where a connection breaks they do.
   */
  close(counted: boolean): void;
}

/** Which member of a consumer is added. */
export interface MemberInit {
  /** The stream's name. */
  readonly stream: string;
  /** The consumer's name. */
  readonly consumer: string;
  /** The connection; only it may acknowledge what this member gets. */
  readonly owner: number;
  /** The number that all frames for it repeat. */
  readonly sid: number;
  /** Settings that were given. A consumer that exists must have the same. */
  readonly settings: Partial<ConsumerSettings>;
  /** Where a new consumer begins. */
  readonly start: StreamStart;
  /** How many deliveries of this member may be open; without it, a fair share. */
  readonly prefetch: number | undefined;
  /** Whether it takes many messages in one frame, with the op `run`. */
  readonly runs: boolean;
}

/** What is done with open deliveries. */
export interface Settlement {
  /** What becomes of them: done, to be delivered again, or still in work. */
  readonly kind: "ack" | "nack" | "working";
  /** The stream's name. */
  readonly stream: string;
  /** The consumer's name. */
  readonly consumer: string;
  /** The connection that has them. */
  readonly owner: number;
  /** Their numbers. */
  readonly deliveries: readonly number[];
  /** For `nack`: when they are delivered again; without it, by the consumer's backoff. */
  readonly delayMs: number | undefined;
  /** For `nack`: why, told in the dead letter. */
  readonly reason: string | undefined;
  /** Whether the commit has to reach the disk before the promise resolves. */
  readonly durable: boolean;
}

/** What a store tells of by itself. */
export interface StreamStoreEvents {
  /** Whether only one client has sent anything since the last call. */
  readonly isAlone: () => boolean;
  /** It has changed which stream keeps which topics. */
  readonly topicsChanged: () => void;
  /** A dead letter was committed. The frame, with the op `pub`, is to be published on the topic. */
  readonly deadLetter: (topic: string, frame: Uint8Array) => void;
  /** Retained values wait as there is no room for them, or were lost as the store was closed. */
  readonly retainedWaits: (error: StreamError) => void;
  /** From here on nothing can be written. Called once. */
  readonly failed: (error: StreamError) => void;
}

/** A copy of a store, as it was at one moment. */
export interface StoreCopy {
  /** Its size in bytes. */
  readonly bytes: number;
  /** The next part; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Ends it. */
  close(): void;
}

/** Keeps streams. All promises reject with a {@linkcode StreamError}. */
export interface StreamStore extends AsyncDisposable {
  /** Is set by the broker that serves the store, before anything else. */
  events: StreamStoreEvents | undefined;
  /** Why nothing can be written any more, if that is so. */
  readonly failure: StreamError | undefined;
  /**
   * Whether publications that are given to `append` also reach the plain subscribers of other
   * brokers. Then they are not to be carried there in another way.
   */
  readonly carries?: boolean;
  /** The streams by name, as of the last commit, or of some seconds ago where others write too. */
  readonly streams: ReadonlyMap<string, StreamFigures>;
  /** All of them in figures, at most a second old. */
  readonly totals: StreamTotals;
  /** The streams as they are at this moment. @param name Only that one, if it exists. */
  figures(name?: string): Promise<readonly StreamFigures[]>;
  /**
   * The name of the stream that keeps a topic; `undefined` if none does that has been seen.
   *
   * @param visited If the answer was not remembered, is told how much was looked at, as nodes of a tree of
   * filters: a thousand streams may have 16,000 of these.
   */
  streamOf(topic: string, visited: (nodes: number) => void): string | undefined;
  /** Why there may be streams that have not been seen yet; `undefined` if there are none. */
  readonly unseen: string | undefined;

  /**
   * Stores a publication; the bytes are copied.
   *
   * @param frame With the op `pub`; its fields are valid.
   * @param owner The connection that it is of.
   * @param onStored Told of it; without it nobody is told.
   */
  append(stream: string, frame: Frame, owner: number, onStored?: OnStored): void;
  /**
   * What a connection has to wait for because too much of it waits to be written; `undefined` if
   * nothing.
   *
   * @param bytes The size of the frame that is to be appended next, or 0.
   */
  room(owner: number, bytes: number): Promise<void> | undefined;

  /** Makes a stream. @throws {StreamError} `stream-exists`, `stream-overlap`, `bad-stream`. */
  create(name: string, settings: StreamSettings): Promise<StreamFigures>;
  /** Changes a stream. @throws {StreamError} `no-stream`, `stream-overlap`, `bad-stream`. */
  update(name: string, settings: Partial<StreamSettings>): Promise<StreamFigures>;
  /** Deletes a stream with all that it holds. */
  delete(name: string): Promise<void>;
  /** Drops messages: all, or those before a number, or those whose topic a filter matches. */
  purge(
    name: string,
    beforeSeq: number | undefined,
    topic: string | undefined,
  ): Promise<StreamFigures>;

  /** Reads a stream. @throws {StreamError} `no-stream`. */
  read(init: ReaderInit): Promise<StreamReader>;

  /** Joins a consumer, which is made if there is none. */
  join(init: MemberInit): Promise<ConsumerMember>;
  /**
   * Settles open deliveries. If some are not open, the others are settled all the same.
   *
   * @throws {StreamError} `stale-ack`, `no-consumer`.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Consumers of a stream, in the order of their names. */
  consumers(stream: string, which?: ConsumerSelection): Promise<readonly ConsumerFigures[]>;
  /** Deletes a consumer. */
  deleteConsumer(stream: string, consumer: string): Promise<void>;
  /** Lets a consumer begin again at another place. Its open deliveries are forgotten. */
  resetConsumer(stream: string, consumer: string, start: StreamStart): Promise<ConsumerFigures>;
  /** Has all dead letters of a consumer delivered to it again. @returns How many. */
  redrive(stream: string, consumer: string): Promise<number>;

  /** The values that topics retained when the store was opened; the store keeps them no longer. */
  takeRetained(): readonly { readonly topic: string; readonly frame: Uint8Array }[];
  /**
   * Keeps a topic's retained value, or with `undefined` forgets it, soon after. While there is no room for
   * it, it waits, and {@linkcode StreamStoreEvents.retainedWaits} is called.
   */
  retain(topic: string, frame: Uint8Array | undefined): void;

  /** Writes a copy of all that is committed into a new file. */
  backup(path: string): Promise<void>;
  /**
   * Makes a copy of all that is committed, to be sent to a client. A store without this cannot be
   * copied over a connection.
   *
   * @param signal Ends it before the copy is made.
   * @throws {StreamError} `unavailable` while another copy is being made or sent; `storage-full`.
   * @throws the reason of the signal, if that ends it.
   */
  copy?(signal?: AbortSignal): Promise<StoreCopy>;
}
