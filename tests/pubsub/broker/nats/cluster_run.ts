/** What happens while servers of a cluster die, and what must hold after that. */
import { assert, assertEquals } from "@std/assert";
import type { BrokerClient, MissedPublications } from "../../../../lib/pubsub/mod.ts";
import { pause, until } from "../../../support/deadline.ts";
import type { NatsCluster } from "../../../support/nats.ts";
import { codeOf } from "../../client/support.ts";
import { Gateway } from "./support.ts";

/** What happens to a server. */
export const FAULTS = ["SIGKILL", "SIGSTOP"] as const;

/** A client that publishes numbers on two topics of its own, and hears all others. */
interface Member {
  readonly gateway: Gateway;
  readonly client: BrokerClient;
  readonly got: Map<string, number[]>;
  readonly missed: MissedPublications[];
}

/**
 * Three gateways, each with a client. Every client hears every topic: of what was published it has
 * received or been told as missed each one, exactly, in order and none twice. What was confirmed as
 * retained is there.
 */
export class ClusterRun implements AsyncDisposable {
  published = 0;
  missed = 0;
  retained = 0;
  readonly #cluster: NatsCluster;
  readonly #members: Member[] = [];
  #sent = 0;
  #lastRetained = 0;

  constructor(cluster: NatsCluster) {
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      const gateway = await Gateway.start(this.#cluster.urls);
      const client = await gateway.client();
      const member: Member = { gateway, client, got: new Map(), missed: [] };
      this.#members.push(member);
      const subscription = await client.subscribe("t.>", {
        onMissed: (told) => member.missed.push(told),
      });
      void (async () => {
        for await (const message of subscription) {
          const numbers = member.got.get(message.topic) ?? [];
          numbers.push(Number(message.text()));
          member.got.set(message.topic, numbers);
        }
      })();
    }
    await until(
      async () => await codeOf(this.#retain()) === "done",
      "values can be retained",
    );
  }

  /** Publishes while something happens to a server, and looks whether all is as it must be. */
  async round(index: number, fault: typeof FAULTS[number], pauseMs: number): Promise<void> {
    let isOver = false;
    const publishing = this.#members.map(async ({ client }, i) => {
      for (let n = 0; !isOver; n++) {
        await client.publish(`t.${i}.${n % 2}`, String(++this.#sent));
        this.published++;
        await pause(1);
      }
    });
    const retaining = (async () => {
      while (!isOver) if (await codeOf(this.#retain()) !== "done") await pause(50);
    })();
    const server = this.#cluster.servers[index]!;
    if (fault === "SIGKILL") await server.kill();
    else server.signal("SIGSTOP");
    await pause(pauseMs);
    if (fault === "SIGKILL") await server.restart();
    else server.signal("SIGCONT");
    await until(() => this.#members.every(({ gateway }) => gateway.figures.connected));
    await pause(200);
    isOver = true;
    await Promise.all([...publishing, retaining]);
    await this.#check();
  }

  async #retain(): Promise<void> {
    const value = ++this.#sent;
    await this.#members[0]!.client.publishConfirmed("kept", String(value), {
      retain: true,
      timeoutMs: 10_000,
    });
    this.#lastRetained = value;
    this.retained++;
  }

  async #check(): Promise<void> {
    const count = ({ got, missed }: Member) =>
      [...got.values()].reduce((sum, numbers) => sum + numbers.length, 0) +
      missed.reduce((sum, told) => sum + told.count!, 0);
    this.missed = 0;
    for (const member of this.#members) {
      await until(() => count(member) >= this.published, "received + missed = published");
      assertEquals(count(member), this.published);
      for (const numbers of member.got.values()) {
        assert(numbers.every((n, i) => i === 0 || n > numbers[i - 1]!), "in order, none twice");
      }
      this.missed += member.missed.reduce((sum, told) => sum + told.count!, 0);
      await using late = await member.gateway.client();
      let kept = 0;
      await using subscription = await late.subscribe("kept");
      void (async () => {
        for await (const message of subscription) kept = Number(message.text());
      })();
      await until(() => kept >= this.#lastRetained, "what was confirmed as retained is there");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, gateway } of this.#members) {
      await client.close();
      await gateway[Symbol.asyncDispose]();
    }
  }
}
