import { before } from "../../lib/base/before.ts";
import { type ExchangeMessage, LoadError, type LoadExchange } from "../../lib/load/mod.ts";
import { type BrokerClient, PubSubError, type PubSubMessage } from "../../lib/pubsub/client/mod.ts";
import { connectBroker, type ConnectBrokerOptions } from "../../lib/pubsub/connect_broker.ts";
import { connectBroker as connectOver } from "../../lib/pubsub/client/mod.ts";
import { type Address, formatAddress } from "../../lib/net/mod.ts";
import { formatDuration } from "../_cli/mod.ts";

/** What is published, and who gets it. */
export interface PubSubOptions {
  readonly address: Address;
  /** How publishers and subscribers connect. */
  readonly connect: ConnectBrokerOptions & { readonly connectTimeoutMs: number };
  /** How long the broker may take to confirm a subscription, in milliseconds. */
  readonly answerMs: number;
  readonly topic: string;
  readonly filter: string;
  readonly subscribers: number;
  /** The size of each publication's content; a number that identifies it takes up to 40. */
  readonly bytes: number;
  /** Is told of what a broker's client fails with while nobody waits for it. */
  readonly onError: (error: unknown) => void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How many bytes at the beginning of a publication tell which one it is. */
const KEY_BYTES = 40;

/**
 * Publishes on each connection of the load, and has subscribers of its own tell of the deliveries:
 * each publication has as many answers as there are subscribers.
 *
 * @throws {PubSubError | ConnectionError} if a subscriber cannot subscribe.
 */
export async function pubsubExchange(options: PubSubOptions): Promise<LoadExchange> {
  const { address, connect, answerMs, topic, filter, subscribers, bytes, onError } = options;
  // Others may publish on the topic too.
  const run = crypto.randomUUID().slice(0, 8);
  const padding = "x".repeat(bytes);
  /** Publications of which deliveries may come, and how many have. */
  const pending = new Map<string, { readonly message: ExchangeMessage; deliveries: number }>();
  const counts = { published: 0, delivered: 0, missed: 0 };

  const deliver = (publication: PubSubMessage) => {
    const { content } = publication;
    const [from, seq] = decoder.decode(content.subarray(0, KEY_BYTES)).split(" ");
    const entry = from === run ? pending.get(seq!) : undefined;
    if (!entry) return;
    counts.delivered++;
    if (++entry.deliveries === subscribers) pending.delete(seq!);
    entry.message.answered({ bytes: content.length });
  };

  const late = (what: string, ms: number) => {
    const message = `${formatAddress(address)} did not answer ${what} in ${formatDuration(ms)}`;
    return new PubSubError("timed-out", message);
  };
  const nameSilent = (error: unknown): never => {
    const isLate = error instanceof PubSubError && error.code === "timed-out";
    throw isLate ? late("the hello", connect.connectTimeoutMs) : error;
  };
  const clients: BrokerClient[] = [];
  const close = async () => {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  };
  try {
    for (let i = 0; i < subscribers; i++) {
      const client = await connectBroker(address, { ...connect, onError }).catch(nameSilent);
      clients.push(client);
      const subscribing = client.subscribe(filter, {
        onMessage: deliver,
        onMissed: ({ count }) => void (counts.missed += count ?? 0),
      });
      if (!await before(subscribing, answerMs)) throw late("sub", answerMs);
    }
  } catch (error) {
    await close();
    throw error;
  }

  return {
    answers: subscribers,
    async open(conn) {
      const client = await connectOver(conn, { credentials: connect.credentials, onError });
      clients.push(client);
      return async (message) => {
        const key = String(message.seq);
        pending.set(key, { message, deliveries: 0 });
        counts.published++;
        const content = `${run} ${key} `;
        try {
          await client.publish(topic, encoder.encode(content + padding.slice(content.length)));
        } catch (error) {
          if (!(error instanceof PubSubError) || error.code !== "closed") throw error;
          throw new LoadError("closed", error.message, { cause: error });
        }
      };
    },
    counts() {
      const { published, delivered, missed } = counts;
      const lost = Math.max(0, published * subscribers - delivered - missed);
      return { published, delivered, missed, lost };
    },
    close,
  };
}
