import type { Address } from "../../../lib/net/mod.ts";
import { type BrokerClient, connectBroker, PubSubError } from "../../../lib/pubsub/mod.ts";
import type { Random } from "../random.ts";

/** How many confirmations it waits for at a time. */
const OUTSTANDING = 64;

/** A publisher that numbers what it publishes, and knows what the broker confirmed. */
export class CountingPublisher implements AsyncDisposable {
  /** How many it published. */
  published = 0;
  /** What the broker has confirmed to be handed to somebody, as `PUBLISHER NUMBER`. */
  readonly confirmed = new Set<string>();
  readonly #id: string;
  readonly #client: BrokerClient;

  private constructor(id: string, client: BrokerClient) {
    this.#id = id;
    this.#client = client;
  }

  static async start(address: Address, id: string): Promise<CountingPublisher> {
    const options = { reconnect: { firstMs: 20, longestMs: 100 }, onError: () => {} };
    return new CountingPublisher(id, await connectBroker(address, options));
  }

  /** Publishes so many; resolves when each is confirmed, or nobody knows what became of it. */
  async publish(count: number, random: Random): Promise<void> {
    const outstanding: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      outstanding.push(this.#publish(random.int(0, 3), random.pick([0, 16, 1_000, 1_000, 20_000])));
      if (outstanding.length >= OUTSTANDING) await outstanding.shift();
    }
    await Promise.all(outstanding);
  }

  async #publish(topic: number, bytes: number): Promise<void> {
    const n = this.published++;
    const fields = { p: this.#id, n };
    try {
      const content = new Uint8Array(bytes);
      const receivers = await this.#client.publishConfirmed(`s.${topic}`, content, { fields });
      if (receivers > 0) this.confirmed.add(`${this.#id} ${n}`);
    } catch (error) {
      // The broker was killed: it may or may not have been published.
      if (!(error instanceof PubSubError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
