import type { HeaderInit } from "../../../frame/mod.ts";
import { FrameDecoder } from "../../../frame/frame_decoder.ts";
import { ByteBuffer } from "../../../base/byte_buffer.ts";
import { Condition } from "../../../base/condition.ts";
import { messageOf } from "../../../base/message_of.ts";
import { releaseMemory } from "../../../base/large_memory.ts";
import type { Principal } from "../../../access/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { writeControl } from "../../protocol/control_frame.ts";
import type { Outbox } from "../delivery/outbox.ts";
import { StreamError } from "./stream_error.ts";
import type { ConsumerMember, StreamReader, StreamStore } from "./stream_store.ts";

/** How many streams and consumers one connection may read at one time. */
const MAX_SIDS = 100;

/** Why something was not made that its client does not want any more. */
const ENDED = new StreamError("unavailable", "It was ended before it was made");

/** Why a client may not read something; `undefined` if it may. */
export type ReadRefusal = (principal: Principal) => Refusal | undefined;

/** What a connection reads. */
type Source =
  | {
    readonly kind: "reader";
    readonly stream: string;
    readonly reader: StreamReader;
    readonly refusal: ReadRefusal;
  }
  | {
    readonly kind: "member";
    readonly stream: string;
    readonly consumer: string;
    readonly member: ConsumerMember;
    readonly refusal: ReadRefusal;
  };

/** What {@linkcode ConnectionStreams} needs of its connection. */
export interface StreamsHost {
  /** What it reads of streams; made by {@linkcode streamsOf}. */
  streams: ConnectionStreams | undefined;
  readonly outbox: Outbox;
  /** Names the connection. */
  readonly id: number;
  /** Who the client is. */
  readonly principal: Principal | undefined;
  refuse(refusal: Refusal, id?: number, about?: HeaderInit): void;
}

/**
 * What one connection reads of streams: each subscription with a `sid` is served at the pace at
 * which its peer reads.
 */
export class ConnectionStreams {
  readonly #host: StreamsHost;
  readonly #store: StreamStore;
  readonly #flush: () => void;
  readonly #sources = new Map<number, Source>();
  /** Numbers whose subscription is being made, and what ends that before it is done. */
  readonly #reserved = new Map<number, AbortController | undefined>();
  /** Publications whose commit the client waits for. */
  #unconfirmed = 0;
  #isOver = false;
  readonly #settled = new Condition();

  /** @param flush Sends what is in the outbox soon. */
  constructor(host: StreamsHost, store: StreamStore, flush: () => void) {
    this.#host = host;
    this.#store = store;
    this.#flush = flush;
  }

  /**
   * Keeps a number for a subscription that is being made.
   *
   * @param making Is aborted when nobody wants it any more, where making it takes long.
   * @returns Why it is refused, if it is.
   */
  reserve(sid: number, making?: AbortController): Refusal | undefined {
    if (this.#sources.has(sid) || this.#reserved.has(sid)) {
      return { code: "bad-field", message: `The sid ${sid} is in use on this connection` };
    }
    if (this.#sources.size + this.#reserved.size >= MAX_SIDS) {
      const message = `A connection may have ${MAX_SIDS} subscriptions to streams`;
      return { code: "too-many-filters", message };
    }
    this.#reserved.set(sid, making);
    return undefined;
  }

  /** The subscription was not made. */
  release(sid: number): void {
    this.#reserved.delete(sid);
  }

  /** Begins to send what a subscription reads. */
  start(sid: number, source: Source): void {
    this.#reserved.delete(sid);
    if (this.#isOver) return close(source, false);
    this.#sources.set(sid, source);
    // While it was made the client may have lost the right to it.
    this.#endIfForbidden(sid, source);
    if (this.#sources.has(sid)) void this.#serve(sid, source);
  }

  /** Ends a subscription; `false` if there is none. */
  stop(sid: number): boolean {
    const source = this.#sources.get(sid);
    if (source === undefined) {
      const making = this.#reserved.get(sid);
      making?.abort(ENDED);
      return making !== undefined;
    }
    this.#sources.delete(sid);
    close(source, false);
    return true;
  }

  /** Ends what is being made and takes long: nothing is sent to the client any more. */
  giveUp(): void {
    for (const making of this.#reserved.values()) making?.abort(ENDED);
  }

  /** Ends those that the client may not have any more, and tells it why. */
  endForbidden(): void {
    for (const [sid, source] of this.#sources) this.#endIfForbidden(sid, source);
  }

  /**
   * Ends all: the connection is over.
   *
   * @param counted Whether deliveries that are open count as attempts.
   */
  stopAll(counted: boolean): void {
    this.#isOver = true;
    this.giveUp();
    for (const source of this.#sources.values()) close(source, counted);
    this.#sources.clear();
  }

  /** The client waits for a commit; called again when it was answered. */
  confirming(change: 1 | -1): void {
    this.#unconfirmed += change;
    if (this.#unconfirmed === 0) this.#settled.notify();
  }

  /** Resolves once all commits are answered that the client waits for; `undefined` if they are. */
  settled(): Promise<void> | undefined {
    if (this.#unconfirmed === 0) return undefined;
    return this.#settled.wait();
  }

  #endIfForbidden(sid: number, source: Source): void {
    const refusal = source.refusal(this.#host.principal!);
    if (refusal === undefined) return;
    this.stop(sid);
    this.#host.refuse(refusal, undefined, { sid });
  }

  async #serve(sid: number, source: Source): Promise<void> {
    try {
      if (source.kind === "reader") await this.#read(sid, source.stream, source.reader);
      else await this.#consume(sid, source);
    } catch (error) {
      if (this.#sources.get(sid) !== source) return;
      this.#sources.delete(sid);
      close(source, false);
      const code = error instanceof StreamError ? error.code : "storage-failed";
      const message = messageOf(error);
      this.#host.refuse({ code, message }, undefined, { sid });
      this.#flush();
    }
  }

  async #read(sid: number, stream: string, reader: StreamReader): Promise<void> {
    let isToldCaughtUp = false;
    while (true) {
      // What is read goes out at once, so that only the connection holds what its peer does not take.
      if (!await this.#room()) return;
      const batch = await reader.read();
      if (batch === undefined) return;
      if (!this.#sources.has(sid)) return reader.release?.(batch);
      if (!this.#host.outbox.congested) reader.prepare?.();
      this.#missed(sid, stream, batch.missed);
      const release = reader.release && (() => reader.release?.(batch));
      this.#send(batch.bytes, batch.count, sid, release);
      if (reader.caughtUp && !isToldCaughtUp) {
        isToldCaughtUp = true;
        this.#host.outbox.control("caught-up", { sid, stream, seq: reader.next - 1 });
      }
      this.#flush();
    }
  }

  async #consume(sid: number, source: Extract<Source, { kind: "member" }>): Promise<void> {
    const { stream, consumer, member } = source;
    while (true) {
      if (!await this.#room()) return;
      const batch = await member.take();
      if (batch === undefined || !this.#sources.has(sid)) return;
      this.#missed(sid, stream, batch.missed);
      const release = () => releaseMemory(batch.bytes);
      const tooLarge = this.#send(batch.bytes, batch.count, sid, release);
      if (tooLarge.length > 0) {
        const { id: owner } = this.#host;
        const reason = "larger than the client takes";
        const deliveries = { stream, consumer, owner, deliveries: tooLarge };
        const settlement = { kind: "nack", delayMs: undefined, reason, durable: false } as const;
        await this.#store.settle({ ...deliveries, ...settlement }).catch(() => {});
      }
      this.#flush();
    }
  }

  /**
   * Waits until little waits for the peer; `false` if it has gone: until its turn comes to be dealt
   * with, everything would be read for it.
   */
  async #room(): Promise<boolean> {
    const { outbox } = this.#host;
    for (let relief = outbox.relief(); relief; relief = outbox.relief()) await relief;
    return !outbox.closed;
  }

  #missed(sid: number, stream: string, count: number): void {
    if (count > 0) {
      this.#host.outbox.control("missed", { sid, stream, count, reason: "retention" });
    }
  }

  /**
   * @param release Is called when the memory is not needed any more; without it, it may be written to
   * at once.
   * @returns The deliveries that are larger than the client takes.
   */
  #send(bytes: Uint8Array, count: number, sid: number, release?: () => void): number[] {
    const { outbox } = this.#host;
    // Where all together is not too large, none of them is.
    if (bytes.length <= outbox.maxContentBytes) {
      if (release) outbox.lend(bytes, count, release);
      else outbox.batch(bytes, count);
      return [];
    }
    const fitting = new ByteBuffer(bytes.length);
    const tooLarge: number[] = [];
    let left = count;
    for (const frame of new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes).frames) {
      const { header } = frame;
      if (header["content-length"] <= outbox.maxContentBytes) fitting.append(frame.bytes);
      else {
        const { stream, seq, delivery } = header;
        const about = { sid, stream, seq, count: 1, bytes: frame.end - frame.start };
        writeControl(fitting, "missed", { ...about, reason: "too-large" });
        if (typeof delivery === "number") tooLarge.push(delivery);
        left--;
      }
    }
    release?.();
    outbox.batch(fitting.view(), left);
    return tooLarge;
  }
}

/** What a connection reads of streams. */
export function streamsOf(
  host: StreamsHost,
  store: StreamStore,
  flush: () => void,
): ConnectionStreams {
  return host.streams ??= new ConnectionStreams(host, store, flush);
}

function close(source: Source, counted: boolean): void {
  if (source.kind === "reader") source.reader.close();
  else source.member.close(counted);
}
