import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../../lib/net/mod.ts";
import type { SlowPolicy } from "../../../lib/pubsub/mod.ts";
import { until } from "../../support/deadline.ts";
import { RawClient } from "../../support/peers.ts";
import { op } from "../../pubsub/support.ts";

/** How a {@linkcode CountingSubscriber} subscribes. */
export interface CountingOptions {
  readonly name: string;
  readonly slow: SlowPolicy;
  readonly group?: string | undefined;
  /** Whether it has a second filter that matches the same topics. */
  readonly overlapping?: boolean | undefined;
}

/** A bare subscriber that counts what it gets and what it is told it missed. */
export class CountingSubscriber {
  readonly name: string;
  /** Publications that it got. */
  received = 0;
  /** Publications that it was told of as missed, also by `bye`. */
  missed = 0;
  /** What ended its connection: the reason of a `bye`; `lost` if there was none. */
  ended: string | undefined;
  /** The publications that it got, as `PUBLISHER NUMBER`. */
  readonly seen = new Set<string>();
  readonly #client: RawClient;
  readonly #last = new Map<string, number>();
  #resume: PromiseWithResolvers<void> | undefined;
  /** Resolves when nothing more is read. Rejects if something came that must not. */
  readonly finished: Promise<void>;

  private constructor(client: RawClient, { name, slow }: CountingOptions) {
    this.#client = client;
    this.name = name;
    this.finished = this.#read(slow);
    // A test waits for it when it is done.
    this.finished.catch(() => {});
  }

  static async start(address: Address, options: CountingOptions): Promise<CountingSubscriber> {
    const { name, slow, group, overlapping } = options;
    const client = await RawClient.connect(address);
    const requests = [
      op("hello", { id: 1, name }),
      op("sub", { id: 2, topic: "s.>", slow, group }),
      ...overlapping ? [op("sub", { id: 3, topic: "s.*", slow, group })] : [],
    ];
    for (const request of requests) {
      await client.send(request);
      assertEquals((await client.answer())?.header["op"], "ok");
    }
    return new CountingSubscriber(client, options);
  }

  /** Publications of which it knows what became. */
  get accounted(): number {
    return this.received + this.missed;
  }

  /** Reads nothing until {@linkcode CountingSubscriber.resume}. */
  stall(): void {
    this.#resume ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resume?.resolve();
    this.#resume = undefined;
  }

  /** Waits until it has accounted for so many publications; fails if it never does. */
  async accountsFor(count: number): Promise<void> {
    const told = () =>
      `${this.name}: ${this.received} received and ${this.missed} missed of ${count}`;
    await until(() => this.accounted >= count || this.ended !== undefined, told());
    assertEquals(this.accounted, count, told());
  }

  /** Is gone at once, without a word. */
  kill(): void {
    this.resume();
    this.#client.close();
  }

  async #read(slow: SlowPolicy): Promise<void> {
    try {
      for (;;) {
        await this.#resume?.promise;
        const frame = await this.#client.answer();
        if (frame === undefined) break;
        const { header } = frame;
        if (header["op"] === "pub") this.#count(header as Record<string, unknown>, slow);
        // Each filter is told of what it missed: the first counts.
        else if (header["op"] === "missed") {
          if (header["topic"] === "s.>") this.missed += header["count"] as number;
        } else if (header["op"] === "ping") await this.#client.send(op("pong"));
        else if (header["op"] === "bye") {
          this.missed += (header["missed"] as number | undefined) ?? 0;
          this.ended = header["reason"] as string;
        }
      }
    } catch (error) {
      if (!isConnectionEnd(error)) throw error;
    } finally {
      this.ended ??= "lost";
      this.#client.close();
    }
  }

  #count({ p, n, topic }: Record<string, unknown>, slow: SlowPolicy): void {
    this.received++;
    const id = `${p} ${n}`;
    assert(!this.seen.has(id), `${this.name} got ${id} twice`);
    this.seen.add(id);
    const key = `${p} ${topic}`;
    // Of each topic only the newest waits with `latest`, in the order of topics.
    assert((n as number) > (this.#last.get(key) ?? -1), `${this.name}: ${key} in order, ${slow}`);
    this.#last.set(key, n as number);
  }
}

/** Whether an error means that the connection has ended, from this side or the other. */
function isConnectionEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted;
}
