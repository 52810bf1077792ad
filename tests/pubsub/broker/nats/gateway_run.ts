/** What happens while a gateway is stopped for a while or killed, and what must hold after that. */
import { assert, assertEquals } from "@std/assert";
import {
  type BrokerClient,
  connectBroker,
  type MissedPublications,
} from "../../../../lib/pubsub/mod.ts";
import { formatAddress } from "../../../../lib/net/mod.ts";
import { pause, until } from "../../../support/deadline.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { Gateway } from "./support.ts";

/** NATS gives up a client that takes nothing for this long, so that it happens soon. */
export const IMPATIENT = 'max_pending: 1048576\nwrite_deadline: "100ms"\n';
const GIVEN_UP_MS = 300;

const TOPICS = ["load.a", "load.b"];
const CONTENT_BYTES = 50_000;

/** What a subscriber got of each topic, and what it was told that it missed. */
class Account {
  readonly got = new Map<string, number[]>();
  readonly missed: MissedPublications[] = [];

  async open(client: BrokerClient): Promise<void> {
    const subscription = await client.subscribe("load.>", {
      onMissed: (told) => this.missed.push(told),
    });
    void (async () => {
      for await (const message of subscription) {
        const numbers = this.got.get(message.topic) ?? [];
        numbers.push(parseInt(message.text()));
        this.got.set(message.topic, numbers);
      }
    })();
  }

  get received(): number {
    return [...this.got.values()].reduce((sum, numbers) => sum + numbers.length, 0);
  }

  get missedCount(): number {
    return this.missed.reduce((sum, { count }) => sum + (count ?? 0), 0);
  }

  /** The numbers of a topic rise: nothing comes twice, or out of its order. */
  assertInOrder(): void {
    for (const numbers of this.got.values()) {
      assert(numbers.every((n, i) => i === 0 || n > numbers[i - 1]!), "in order, none twice");
    }
  }
}

/**
 * A gateway in this process, whose client publishes, and one that is a process, whose client
 * subscribes. To that one something happens.
 */
export class GatewayRun implements AsyncDisposable {
  published = 0;
  missed = 0;
  readonly #steady: Gateway;
  readonly #publisher: BrokerClient;
  readonly #args: string[];
  #mortal: ServerProgram;
  #client: BrokerClient;
  #account = new Account();
  #sent = 0;

  private constructor(
    steady: Gateway,
    publisher: BrokerClient,
    args: string[],
    mortal: ServerProgram,
    client: BrokerClient,
  ) {
    this.#steady = steady;
    this.#publisher = publisher;
    this.#args = args;
    this.#mortal = mortal;
    this.#client = client;
  }

  static async start(urls: readonly string[]): Promise<GatewayRun> {
    const args = ["--nats", urls.join(), "--nats-wait", "10s"];
    await using opened = new AsyncDisposableStack();
    const steady = opened.use(await Gateway.start(urls));
    const publisher = opened.use(await steady.client());
    const mortal = opened.use(await ServerProgram.start(script("cmd/broker.ts", ":0", ...args)));
    const client = opened.use(await connectBroker(formatAddress(mortal.address)));
    opened.move();
    const run = new GatewayRun(steady, publisher, args, mortal, client);
    await run.#account.open(client);
    return run;
  }

  /** The gateway in this process. */
  get steady(): Gateway {
    return this.#steady;
  }

  /** The gateway that is a process. */
  get mortal(): ServerProgram {
    return this.#mortal;
  }

  /** While it is stopped, so much is published that NATS gives it up. All is received or told. */
  async stop(count: number): Promise<void> {
    this.#mortal.kill("SIGSTOP");
    await this.#publish(count);
    await pause(GIVEN_UP_MS);
    this.#mortal.kill("SIGCONT");
    const account = this.#account;
    const known = () => account.received + account.missedCount;
    await until(() => known() >= this.#sent, "received + missed = published");
    assertEquals(known(), this.#sent);
    assert(account.missed.every(({ atLeast }) => !atLeast), "what is missed is told exactly");
    account.assertInOrder();
    this.missed = account.missedCount;
  }

  /** It dies while something is published, and another one takes its place at the same address. */
  async kill(count: number): Promise<void> {
    const publishing = this.#publish(count);
    await this.#mortal[Symbol.asyncDispose]();
    await publishing;
    this.#account.assertInOrder();
    const address = formatAddress(this.#mortal.address);
    this.#mortal = await ServerProgram.start(script("cmd/broker.ts", address, ...this.#args));
    await until(() => this.#client.state === "connected");
    // Nobody can tell how much of it was lost with the gateway: what comes from here on counts.
    await this.#client.close();
    this.#client = await connectBroker(address);
    this.#account = new Account();
    this.#sent = 0;
    await this.#account.open(this.#client);
    await this.#publish(TOPICS.length);
    await until(() => this.#account.received === TOPICS.length, "the next one brings everything");
  }

  async #publish(count: number): Promise<void> {
    const padding = " ".repeat(CONTENT_BYTES);
    for (let i = 0; i < count; i++) {
      const topic = TOPICS[this.#sent % TOPICS.length]!;
      await this.#publisher.publish(topic, `${++this.#sent}${padding}`);
      this.published++;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#publisher.close();
    await this.#mortal[Symbol.asyncDispose]();
    await this.#steady[Symbol.asyncDispose]();
  }
}
