/** Streams while servers of a cluster and gateways die, and what must hold after that. */
import { assert, assertEquals } from "@std/assert";
import {
  type BrokerClient,
  connectBroker,
  type ConsumedMessage,
  type ConsumerInfo,
  type Consumption,
  type PubSubError,
} from "../../../../lib/pubsub/mod.ts";
import { formatAddress } from "../../../../lib/net/mod.ts";
import { pause, until } from "../../../support/deadline.ts";
import type { NatsCluster } from "../../../support/nats.ts";
import { ownAddress } from "../../../support/own_address.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { codeOf } from "../../client/support.ts";
import type { FAULTS } from "./cluster_run.ts";

/** What dies, and how. */
export interface StreamFault {
  readonly what: "server" | "gateway";
  readonly index: number;
  readonly how: typeof FAULTS[number];
  /** For how long. */
  readonly ms: number;
}

/** How long everything may take to be well again, in milliseconds. */
const RECOVERY_MS = 60_000;

const STREAM = "runs";
const CONSUMER = "work";

/** A consumer that nobody ever acknowledges to, of one topic: all of it dies. */
const DOOMED = "doomed";
const DOOMED_TOPIC = `${STREAM}.0.0`;
const DOOMED_ATTEMPTS = 2;

/** Between two publications of one publisher: more would only be more. */
const PAUSE_MS = 5;

/**
 * JetStream confirms an acknowledgement before other servers have it: one that was confirmed so long
 * before its server dies, or before one that was stopped knows that others have taken its place, may
 * be forgotten. Nothing else is.
 */
const CONFIRMED_MS = 5_000;

/** Topics of each publisher. */
const TOPICS = 2;

/**
 * Gateways as processes, each with a client that publishes numbers on topics of its own and works off
 * those of all. What was confirmed as stored is there, once, in the order of each publisher and topic;
 * what was confirmed as acknowledged does not come again, but for the moment in which a server dies.
 * What is never acknowledged dies after its last attempt: each message is once among the dead letters.
 */
export class StreamRun implements AsyncDisposable {
  readonly #cluster: NatsCluster;
  readonly #addresses: readonly string[];
  readonly #gateways: (ServerProgram | undefined)[] = [];
  readonly #clients: BrokerClient[] = [];
  readonly #consumptions: Consumption[] = [];
  /** Contents that were confirmed as stored, and as acknowledged. */
  readonly #stored = new Set<string>();
  /** By content: when that was confirmed, of `performance.now()`. */
  readonly #acked = new Map<string, number>();
  /** What came although it was acknowledged, and when the acknowledgement had been confirmed. */
  readonly #again: { readonly content: string; readonly at: number }[] = [];
  /** When servers were dying: from and until. */
  readonly #dying: { readonly from: number; until: number }[] = [];
  readonly #delivered = new Set<string>();
  /** Attempts of messages that nobody acknowledges, which are more than there may be. */
  readonly #tooMany: string[] = [];
  #last = 0;

  /** @param gateways How many. */
  constructor(cluster: NatsCluster, gateways: number) {
    this.#cluster = cluster;
    this.#addresses = Array.from({ length: gateways }, () => formatAddress(ownAddress()));
  }

  /** Messages that are among the dead letters, at the last look. */
  dead = 0;

  /** The gateways that run now. */
  get gateways(): readonly ServerProgram[] {
    return this.#gateways.filter((each) => each !== undefined);
  }

  get stored(): number {
    return this.#stored.size;
  }

  /** Messages that came although they were acknowledged, at the moment in which a server died. */
  get repeated(): number {
    return this.#again.length;
  }

  async start(): Promise<void> {
    const addresses = this.#addresses;
    await Promise.all(addresses.map((_, i) => this.#startGateway(i)));
    for (let i = 0; i < addresses.length; i++) {
      // Each has another one first.
      const inTurn = [...addresses.slice(i), ...addresses.slice(0, i)];
      this.#clients.push(await connectBroker(inTurn));
    }
    const [{ streams }] = this.#clients as [BrokerClient];
    const settings = { topics: [`${STREAM}.>`], dedupMs: 3_600_000 };
    await until(
      async () =>
        ["done", "stream-exists"].includes(await codeOf(streams.create(STREAM, settings))),
      "the stream is made",
    );
    for (const client of this.#clients) {
      const options = { ackWaitMs: 3_000, maxAttempts: 0, prefetch: 16, concurrency: 4 };
      const onMessage = (message: ConsumedMessage) => this.#work(message);
      this.#consumptions.push(client.consume(STREAM, CONSUMER, { ...options, onMessage }));
      this.#consumptions.push(client.consume(STREAM, DOOMED, {
        ...options,
        filter: DOOMED_TOPIC,
        maxAttempts: DOOMED_ATTEMPTS,
        onMessage: (message) => this.#fail(message),
      }));
    }
    // They end with their clients.
    for (const { finished } of this.#consumptions) finished.catch(() => {});
  }

  /** Publishes while some die and come back, and looks whether all is as it must be. */
  async round(...faults: readonly StreamFault[]): Promise<void> {
    let isOver = false;
    const publishing = this.#clients.flatMap((client, i) =>
      Array.from({ length: TOPICS }, async (_, topic) => {
        while (!isOver) {
          const content = String(++this.#last);
          const options = { messageId: content, timeoutMs: RECOVERY_MS };
          await client.publishStored(`${STREAM}.${i}.${topic}`, content, options);
          this.#stored.add(content);
          await pause(PAUSE_MS);
        }
      })
    );
    const before = this.stored;
    await until(() => this.stored > before, "something is stored");
    await Promise.all(faults.map((fault) => this.#harm(fault)));
    // Goes on once all is well.
    const harmed = this.stored;
    await until(() => this.stored > harmed + this.#clients.length * TOPICS, "goes on", RECOVERY_MS);
    isOver = true;
    await Promise.all(publishing);
    await this.#check();
  }

  /** A server has been dead, or stopped, until a moment ago. */
  disturbed(): void {
    const now = performance.now();
    this.#dying.push({ from: now, until: now + CONFIRMED_MS });
  }

  async #harm({ what, index, how, ms }: StreamFault): Promise<void> {
    const server = this.#cluster.servers[index]!;
    const dying = { from: performance.now() - CONFIRMED_MS, until: Infinity };
    if (what === "server") this.#dying.push(dying);
    const gateway = this.#gateways[index % this.#gateways.length]!;
    if (how === "SIGSTOP") {
      const one = what === "server"
        ? server.signal.bind(server)
        : gateway.kill.bind(gateway) as (signal: Deno.Signal) => void;
      one("SIGSTOP");
      await pause(ms);
      one("SIGCONT");
    } else if (what === "server") {
      await server.kill();
      await pause(ms);
      await server.restart();
    } else {
      await gateway[Symbol.asyncDispose]();
      await pause(ms);
      await this.#startGateway(index % this.#gateways.length);
    }
    dying.until = performance.now() + CONFIRMED_MS;
  }

  async #startGateway(index: number): Promise<void> {
    const nats = ["--nats", this.#cluster.urls.join(), "--nats-wait", "30s"];
    const flags = [...nats, "--http", "127.0.0.1:0"];
    const address = this.#addresses[index]!;
    this.#gateways[index] = await ServerProgram.start(script("cmd/broker.ts", address, ...flags));
  }

  async #work(message: ConsumedMessage): Promise<void> {
    const content = message.text();
    const at = this.#acked.get(content);
    if (at !== undefined) this.#again.push({ content, at });
    this.#delivered.add(content);
    try {
      await message.ack();
      this.#acked.set(content, performance.now());
    } catch {
      // It comes again, or was acknowledged nevertheless.
    }
  }

  async #fail(message: ConsumedMessage): Promise<void> {
    const { attempt } = message;
    if (attempt > DOOMED_ATTEMPTS) this.#tooMany.push(`${message.text()}: ${attempt}`);
    // Where it does not get through, the message comes again.
    await message.nack().catch(() => {});
  }

  async #check(): Promise<void> {
    const [client] = this.#clients as [BrokerClient];
    const kept: string[] = [];
    const doomed: string[] = [];
    const last = new Map<string, number>();
    for await (const message of client.replay(STREAM, { live: false })) {
      const content = message.text();
      kept.push(content);
      if (message.topic === DOOMED_TOPIC) doomed.push(content);
      assert(Number(content) > (last.get(message.topic) ?? 0), `${message.topic} is in order`);
      last.set(message.topic, Number(content));
    }
    const all = new Set(kept);
    assertEquals(all.size, kept.length, "no message id is there twice");
    assertEquals([...this.#stored].filter((one) => !all.has(one)), [], "what was stored is there");
    assertEquals(
      [...this.#acked.keys()].filter((one) => !all.has(one)),
      [],
      "acknowledged ⊆ stored",
    );
    await until(
      () => kept.every((one) => this.#delivered.has(one)),
      "all is delivered",
      RECOVERY_MS,
    );
    await settled(client, CONSUMER, () => true);
    const again = this.#again.filter(({ at }) =>
      !this.#dying.some(({ from, until }) => from <= at && at <= until)
    );
    assertEquals(
      again.map(({ content }) => content),
      [],
      "what was acknowledged does not come again",
    );
    await this.#checkLetters(client, doomed);
  }

  /** @param doomed The contents that nobody acknowledges. */
  async #checkLetters(client: BrokerClient, doomed: readonly string[]): Promise<void> {
    await settled(client, DOOMED, ({ dead }) => dead >= doomed.length);
    const letters: string[] = [];
    const filter = `_dead.${STREAM}.${DOOMED}`;
    for await (const message of client.replay("_dead", { filter, live: false })) {
      letters.push(message.text());
    }
    this.dead = letters.length;
    assertEquals(letters.toSorted(), doomed.toSorted(), "each dead letter is there once");
    assertEquals(this.#tooMany, [], `${DOOMED_ATTEMPTS} attempts at most`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    for (const gateway of this.#gateways) await gateway?.[Symbol.asyncDispose]();
  }
}

/** Waits until a consumer has nothing left, and its figures are as they must be. */
async function settled(
  client: BrokerClient,
  consumer: string,
  isWell: (figures: ConsumerInfo) => boolean,
): Promise<void> {
  let last: ConsumerInfo | string | undefined;
  const isSettled = async () => {
    try {
      const figures = last = await client.streams.consumer(STREAM, consumer);
      return figures.pending + figures.unacked === 0 && isWell(figures);
    } catch (error) {
      // A consumer whose server has just died has to get another one.
      last = (error as PubSubError).code;
      if (last !== "unavailable") throw error;
      return false;
    }
  };
  try {
    await until(isSettled, `${consumer} has nothing left`, RECOVERY_MS);
  } catch (cause) {
    throw new Error(`${consumer} does not get done: ${JSON.stringify(last)}`, { cause });
  }
}
