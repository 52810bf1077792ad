import { assert, assertEquals } from "@std/assert";
import { formatAddress } from "../../../lib/net/mod.ts";
import { type BrokerClient, connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { ownAddress } from "../../support/own_address.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";
import { CountingPublisher } from "./counting_publisher.ts";
import { CountingSubscriber } from "./counting_subscriber.ts";

const PUBLISHERS = 3;
const POLICIES = ["drop-oldest", "drop-new", "latest"] as const;
const MEMBERS = 3;

/** How a round ends. */
const ENDINGS = ["nothing", "SIGTERM", "SIGKILL"] as const;
type Ending = (typeof ENDINGS)[number];

/** A broker that keeps little, so that subscribers which stall miss something. */
function startBroker(address: string): Promise<ServerProgram> {
  const limits = ["--max-content", "64KiB", "--max-pending", "256KiB", "--patience", "20ms"];
  return ServerProgram.start(
    script("cmd/broker.ts", address, ...limits, "--drain-timeout", "20s"),
  );
}

/**
 * Publishers, subscribers that stall, members of a group that are killed, and a broker that is
 * restarted by SIGTERM and by SIGKILL. Whatever happens, each subscriber knows what became of each
 * publication: received + missed = sent, as long as the broker was not killed. What it loses when it
 * is killed was not confirmed, or the subscriber was told of a gap.
 */
export const pubsubSoak: Soak = {
  name: "pubsub",
  async start(): Promise<RunningSoak> {
    const first = await startBroker(formatAddress(ownAddress()));
    const run = new Run(first);
    return {
      round: (random) => run.round(random),
      get summary() {
        return run.summary;
      },
      [Symbol.asyncDispose]: () => run.end(),
    };
  },
};

class Run {
  #broker: ServerProgram;
  readonly #address: string;
  readonly #ends: Record<Ending, number> = { nothing: 0, SIGTERM: 0, SIGKILL: 0 };
  #rounds = 0;
  #published = 0;
  #missed = 0;
  #lost = 0;

  constructor(broker: ServerProgram) {
    this.#broker = broker;
    this.#address = formatAddress(broker.address);
  }

  get summary(): string {
    const { SIGTERM, SIGKILL } = this.#ends;
    return `${this.#rounds} rounds, ${this.#published} published, ${this.#missed} missed, ` +
      `${SIGTERM} restarts, ${SIGKILL} kills that lost ${this.#lost}`;
  }

  async end(): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
  }

  async round(random: Random): Promise<void> {
    const { address } = this.#broker;
    // The first rounds are one of each, so that a short run has all.
    const ending = ENDINGS[this.#rounds] ?? random.pick(ENDINGS);
    const plain = await Promise.all(
      POLICIES.map((slow, i) =>
        CountingSubscriber.start(address, { name: slow, slow, overlapping: i === 0 })
      ),
    );
    const start = (name: string) =>
      CountingSubscriber.start(address, { name, slow: "drop-oldest", group: "g" });
    const members = await Promise.all(Array.from({ length: MEMBERS }, (_, i) => start(`g${i}`)));
    await using library = await LibrarySubscriber.start(this.#address);
    await using stack = new AsyncDisposableStack();
    const publishers: CountingPublisher[] = [];
    for (let i = 0; i < PUBLISHERS; i++) {
      publishers.push(stack.use(await CountingPublisher.start(address, `p${i}`)));
    }
    let killedMembers = 0;
    try {
      for (let bursts = random.int(1, 3); bursts > 0; bursts--) {
        const stalled = random.chance(0.7) ? random.pick([...plain, ...members]) : undefined;
        stalled?.stall();
        const publishing = publishers.map((one) => one.publish(random.int(50, 1_500), random));
        if (random.chance(0.5)) {
          await pause(random.int(0, 100));
          members.splice(random.int(0, members.length - 1), 1)[0]!.kill();
          killedMembers++;
          members.push(await start(`g+${killedMembers}`));
        }
        await deadline(Promise.all(publishing), "all is published");
        if (random.chance(0.7)) stalled?.resume();
      }
      await this.#endRound(ending, { plain, members, library, publishers, killedMembers, random });
    } finally {
      for (const one of [...plain, ...members]) one.kill();
      this.#rounds++;
      this.#ends[ending]++;
      for (const { published } of publishers) this.#published += published;
      for (const { missed } of plain) this.#missed += missed;
    }
    // What came was right: each once, and in order.
    await Promise.all([...plain, ...members].map((one) => one.finished));
  }

  async #endRound(ending: Ending, all: Participants): Promise<void> {
    const { plain, members, library, publishers, killedMembers, random } = all;
    const everybody = [...plain, ...members];
    const resume = () => everybody.forEach((one) => one.resume());
    const sent = () => publishers.reduce((sum, { published }) => sum + published, 0);
    if (ending === "SIGKILL") {
      const publishing = publishers.map((one) => one.publish(500, random));
      await pause(random.int(5, 60));
      await this.#restart("SIGKILL");
      resume();
      await deadline(Promise.all(publishing), "publishers know what became of all");
      await this.#checkKilled(plain, library, publishers);
      return;
    }
    if (ending === "SIGTERM") {
      // Who stalled takes the rest while the broker drains, or is told what it was.
      const restarting = this.#restart("SIGTERM");
      await pause(random.pick([0, 500, 3_200]));
      resume();
      await Promise.all(everybody.map((one) => until(() => one.ended !== undefined, one.name)));
      assertEquals(new Set(everybody.map((one) => one.ended)), new Set(["shutdown"]));
      await restarting;
      await until(() => library.gaps === 1, "a restart is a gap");
    } else resume();
    const count = sent();
    for (const one of plain) await one.accountsFor(count);
    if (ending === "nothing") {
      await until(() => library.accounted >= count, "the library's client got all");
      assertEquals([library.accounted, library.gaps], [count, 0]);
    } else assert(library.accounted <= count);
    const grouped = members.reduce((sum, one) => sum + one.accounted, 0);
    if (killedMembers === 0) {
      await until(() => members.reduce((sum, one) => sum + one.accounted, 0) >= count, "the group");
      assertEquals(members.reduce((sum, one) => sum + one.accounted, 0), count);
    } else assert(grouped <= count, "what goes to a member that is killed is lost, not doubled");
    const gotten = members.flatMap((one) => [...one.seen]);
    assertEquals(new Set(gotten).size, gotten.length, "each went to one member");
  }

  /** Nothing that was confirmed is lost without a word. */
  async #checkKilled(
    plain: readonly CountingSubscriber[],
    library: LibrarySubscriber,
    publishers: readonly CountingPublisher[],
  ): Promise<void> {
    await Promise.all(plain.map((one) => until(() => one.ended !== undefined, one.name)));
    const confirmed = publishers.flatMap((one) => [...one.confirmed]);
    for (const one of plain) {
      const unseen = confirmed.filter((id) => !one.seen.has(id)).length;
      // What it was not told of before was lost; the end of its connection says that there is a gap.
      if (unseen > one.missed) assertEquals(one.ended, "lost");
      this.#lost += Math.max(0, unseen - one.missed);
    }
    await until(() => library.gaps === 1, "the library's client is told of the gap");
  }

  async #restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#broker.kill(signal);
    const { code } = await this.#broker.finished();
    if (signal === "SIGTERM") assertEquals(code, 0, this.#broker.err);
    this.#broker = await startBroker(this.#address);
  }
}

/** Who takes part in a round. */
interface Participants {
  readonly plain: readonly CountingSubscriber[];
  readonly members: readonly CountingSubscriber[];
  readonly library: LibrarySubscriber;
  readonly publishers: readonly CountingPublisher[];
  readonly killedMembers: number;
  readonly random: Random;
}

/** A subscriber by the library, which connects again. */
class LibrarySubscriber implements AsyncDisposable {
  accounted = 0;
  /** How often it was told that it cannot be known what it missed. */
  gaps = 0;
  readonly #client: BrokerClient;

  private constructor(client: BrokerClient) {
    this.#client = client;
  }

  static async start(address: string): Promise<LibrarySubscriber> {
    const reconnect = { firstMs: 20, longestMs: 100 };
    const client = await connectBroker(address, { reconnect, onError: () => {} });
    const subscriber = new LibrarySubscriber(client);
    await client.subscribe("s.>", {
      onMessage: () => void subscriber.accounted++,
      onMissed({ count }) {
        if (count === null) subscriber.gaps++;
        else subscriber.accounted += count;
      },
    });
    return subscriber;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
