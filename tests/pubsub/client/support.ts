/** What the tests of clients share. */
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import {
  ChunkDecoder,
  encodeFrame,
  FrameDecoder,
  type FrameHeader,
} from "../../../lib/frame/mod.ts";
import {
  type Broker,
  type ByteDuplex,
  ClientSubscription,
  PubSubMessage,
  serveBroker,
  type SubscribeOptions,
  type SubscriptionLimits,
  type SubscriptionOwner,
} from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { IncomingBytes } from "../../support/incoming_bytes.ts";

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

/** How a broker answers an op with an id: `ok` with these fields, an error, or not at all. */
export type Script = (op: string) => Record<string, unknown> | string | undefined;

/** A connection to a broker that plays a script, and answers `bye` by closing. */
export class ScriptedDuplex implements ByteDuplex {
  /** The headers that came. */
  readonly headers: FrameHeader[] = [];
  /** How many bytes came since the last whole frame. */
  bytes = 0;
  readonly #script: Script;
  readonly #decoder = new ChunkDecoder();
  readonly #incoming = new IncomingBytes();

  constructor(script: Script) {
    this.#script = script;
  }

  /** The ops that came. */
  get ops(): unknown[] {
    return this.headers.map(({ op }) => op);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.bytes += bytes.length;
    for (const { header } of this.#decoder.push(bytes.slice()).frames) {
      this.bytes = 0;
      this.headers.push(header);
      const { op, id } = header as { readonly op?: string; readonly id?: number };
      if (op === "bye") this.close();
      const answer = id === undefined ? undefined : this.#script(String(op));
      if (typeof answer === "string") this.give({ op: "error", id, code: answer, message: answer });
      else if (answer !== undefined) this.give({ op: "ok", id, ...answer });
    }
    return Promise.resolve(bytes.length);
  }

  /** Lets the client read a frame. */
  give(header: Record<string, unknown>, content?: Uint8Array): void {
    this.giveBytes(encodeFrame({ header, content }));
  }

  /** Lets the client read bytes. */
  giveBytes(bytes: Uint8Array): void {
    this.#incoming.give(bytes);
  }

  close(): void {
    this.#incoming.end();
  }
}
