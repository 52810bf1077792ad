/**
 * What a broker needs of whatever connects it with other brokers and keeps its streams, as
 * `NatsGateway` does for brokers that are gateways of a NATS cluster.
 *
 * @module
 */
import type { Frame, FrameHeader } from "../../frame/mod.ts";
import type { SharedMemory } from "../../net/mod.ts";
import type { Refusal } from "../protocol/codes.ts";
import type { StreamStore } from "./streams/stream_store.ts";

/** The broker, as its backplane sees it. */
export interface BackplaneHost {
  /** Content above it is not taken from other brokers. */
  readonly maxContentBytes: number;
  /** Decodes the frames `bytes[start, end)`. It knows the headers that the broker has seen before. */
  decode(bytes: Uint8Array, start: number, end: number): readonly Frame[];
  /**
   * Hands publications of other brokers to the subscribers of this one, members of groups excepted.
   *
   * @param frames One or more frames with the op `pub`, one behind the other.
   * @param memory What they lie in, from its beginning on: it is borrowed for as long as they are needed.
   */
  deliver(frames: readonly Frame[], memory: SharedMemory): void;
  /** Hands publications to members of a group: each to one. */
  deliverToGroup(filter: string, group: string, frames: Uint8Array<ArrayBuffer>): void;
  /**
   * Tells the subscribers of a topic that publications were lost, behind those handed out so far.
   *
   * @param atLeast Whether there may be more than `count`.
   */
  lost(topic: string, count: number, atLeast: boolean): void;
  /** A topic's retained value has changed everywhere; `undefined` if it has none any more. */
  retained(topic: string, frame: Uint8Array | undefined): void;
  /** Whether somebody subscribes to a topic here, other than as a member of a group. */
  hasSubscribers(topic: string): boolean;
  /** What to wait for after much work, so that the broker's clients are served; `undefined` if nothing. */
  turn(): Promise<void> | undefined;
}

/** What connects brokers that serve the same topics. */
export interface SharedBackplane {
  /**
   * Why a publication cannot be carried; `undefined` if it can. Depends on its header alone.
   */
  publishRefusal(header: FrameHeader): Refusal | undefined;
  /** Why nobody can subscribe like this here; `undefined` if it is possible. */
  subscribeRefusal(
    filter: string,
    group: string | undefined,
    noLocal: boolean,
  ): Refusal | undefined;
  /**
   * Has publications brought here that match a filter, or a share of them for one more member of a
   * group. It has to be closed as often as it was opened.
   *
   * @returns Once it is in force: why it is refused, if it is; then it need not be closed.
   */
  open(filter: string, group: string | undefined): Promise<Refusal | undefined>;
  /** Ends one `open`. */
  close(filter: string, group: string | undefined): void;
  /**
   * Carries the publications `frames[first, last)` of this broker's clients to all other brokers, and
   * to groups wherever their members are. The bytes are copied.
   */
  publish(frames: readonly Frame[], first: number, last: number): void;
  /** What publishers wait for because too much waits to be carried; `undefined` if nothing. */
  room(): Promise<void> | undefined;
  /**
   * Resolves to whether somebody takes the request that was published last, with this `reply-to`:
   * a subscriber elsewhere, or a member of a group anywhere.
   */
  hasResponders(replyTo: string): Promise<boolean>;
  /**
   * Keeps a publication as its topic's last value for all brokers, or forgets that where its content
   * is empty. It is to be published after that.
   *
   * @param frame Its bytes stay as they are until this resolves.
   * @returns Why it is refused, if it is.
   */
  retain(topic: string, frame: Frame): Promise<Refusal | undefined>;
  /** What it cannot do at the moment, in words; `undefined` if it can do everything. */
  readonly lack: string | undefined;
  /** Its state in figures. */
  readonly figures: BackplaneFigures;
}

/** What connects brokers, in figures. */
export interface BackplaneFigures {
  /** Whether it is connected. */
  readonly connected: boolean;
  /** The server that it is, or was last, connected to; without credentials. */
  readonly server: string;
  /** How often it was connected again since the start. */
  readonly reconnects: number;
  /** Other brokers that were heard of within the last seconds. */
  readonly brokers: number;
  /** Publications carried to other brokers since the start. */
  readonly published: number;
  /** Publications that came from there since the start, those that nobody here wanted excepted. */
  readonly received: number;
  /** Publications that were lost on their way here since the start, as far as that is known. */
  readonly lost: number;
  /** Publications that came, but could not be handed on: their topic or content is none of ours. */
  readonly unusable: number;
}

/** What a broker is given to reach other brokers, and to keep streams. */
export interface Backplane {
  /** Other brokers; `undefined` where there are none. Groups are shared with them. */
  readonly shared: SharedBackplane | undefined;
  /** Keeps streams and retained values; `undefined` if nothing is kept. */
  readonly streams: StreamStore | undefined;
  /** Is called by the broker that it is given to, before anything else. */
  attach(host: BackplaneHost): void;
}
