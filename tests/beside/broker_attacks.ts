/** What many clients, or one with many requests, ask a broker for at once. */
import { concat } from "@std/bytes";
import { encodeFrame } from "../../lib/frame/mod.ts";
import type { Broker } from "../../lib/pubsub/mod.ts";
import { assert, assertEquals, AssertionError } from "@std/assert";
import { until } from "../support/deadline.ts";
import { latenciesBeside, ownWork } from "../support/neighbour.ts";
import { op, RawPeer, startBroker } from "../pubsub/support.ts";

/** What is there before, on the attackers' side. */
interface Attackers {
  readonly broker: Broker;
  /** So many connections. */
  peers(count: number): Promise<RawPeer[]>;
  /** How many times as much as the name of the attack says is asked for. */
  readonly size: number;
}

/** What attackers prepare; gives what they do. */
type Attack = (attackers: Attackers) => Promise<() => Promise<unknown>>;

/** So many clients publish by turns on two topics. */
const PUBLISHERS = 6;

function times(count: number, make: (i: number) => ReturnType<typeof op>): Uint8Array {
  return concat(Array.from({ length: count }, (_, i) => encodeFrame(make(i))));
}

/** Sends it all and waits until the broker has dealt with it. */
async function send(peer: RawPeer, bytes: Uint8Array): Promise<void> {
  await peer.send(bytes, op("ping", { id: 77 }));
  while ((await peer.header())["id"] !== 77);
}

const askTopics = () =>
  op(
    "pub",
    { topic: "_sys.topics", "reply-to": "nobody" },
    new TextEncoder().encode('{"limit":1}'),
  );

/** Attacks of at most a second or two, by what they are. */
export const ATTACKS: Record<string, Attack> = {
  async "120 connections that ask of 30,000 filters"({ peers, size }) {
    const [one, ...others] = await peers(121);
    await send(one!, times(30_000, (i) => op("sub", { topic: `t.${i}` })));
    const request = times(1, askTopics);
    return async () => {
      for (let i = 0; i < size; i++) await Promise.all(others.map((peer) => send(peer, request)));
    };
  },
  async "a connection that asks of 10,000 filters 1,000 times in one write"({ peers, size }) {
    const [one] = await peers(1);
    await send(one!, times(10_000, (i) => op("sub", { topic: `t.${i}` })));
    const requests = times(1_000 * size, askTopics);
    return () => send(one!, requests);
  },
  async "subscriptions that look through 8,000 retained topics and find none"({ peers, size }) {
    const [one] = await peers(1);
    const value = new Uint8Array(1);
    await send(one!, times(8_000, (i) => op("pub", { topic: `a.t${i}.b`, retain: true }, value)));
    const requests = times(150 * size, (i) => op("sub", { topic: `*.*.z${i}` }));
    return () => send(one!, requests);
  },
  async "150 connections that subscribe at once to 15,000 retained values"(
    { broker, peers, size },
  ) {
    const [one, ...others] = await peers(151);
    const value = new Uint8Array(20);
    await send(
      one!,
      times(15_000 * size, (i) => op("pub", { topic: `t.${i}`, retain: true }, value)),
    );
    return async () => {
      await Promise.all(others.map((peer) => peer.send(op("sub", { topic: ">" }))));
      await until(() => broker.stats().subscriptions === 150);
      const { pendingBytes, backlogBytes } = broker.stats();
      assert(backlogBytes < 2_000_000 * size, `${pendingBytes} wait, and take ${backlogBytes}`);
    };
  },
  async "publications by turns on two topics that 200 connections get"({ peers, size }) {
    const all = await peers(200 + PUBLISHERS);
    const [publishers, receivers] = [all.slice(0, PUBLISHERS), all.slice(PUBLISHERS)];
    const both = times(2, (i) => op("sub", { topic: `t${i}` }));
    await Promise.all(receivers.map((peer) => send(peer, both)));
    const publications = times(400 * size, (i) => op("pub", { topic: `t${i % 2}` }));
    // A read brings no more of them: only together they keep others waiting.
    return () => Promise.all(publishers.map((peer) => send(peer, publications)));
  },
  async "publications for 20,000 groups"({ peers, size }) {
    const [one, ...members] = await peers(21);
    await Promise.all(
      members.map((peer, k) =>
        send(peer, times(1_000, (i) => op("sub", { topic: "t", group: `g${k}x${i}` })))
      ),
    );
    const publications = times(10 * size, () => op("pub", { topic: "t" }));
    return () => send(one!, publications);
  },
  async "publications of 1 MiB for 500 groups of a connection that reads nothing"(
    { peers, size },
  ) {
    const [one, member] = await peers(2);
    await send(member!, times(500, (i) => op("sub", { topic: "t", group: `g${i}` })));
    const publications = times(
      2 * size,
      () => op("pub", { topic: "t" }, new Uint8Array(1_048_576)),
    );
    return () => send(one!, publications);
  },
  async "200 wills and goings that 200 connections are told of, and do not read,"(
    { broker, peers, size },
  ) {
    const [reader, ...silent] = await peers(201);
    const both = concat(
      ["w", "_sys.disconnected"].map((topic) => encodeFrame(op("sub", { topic }))),
    );
    await Promise.all([reader!, ...silent].map((peer) => send(peer, both)));
    const hello = op("hello", { will: "w", id: 77 }, new Uint8Array(20_000));
    const come = async () => {
      const leaving = await peers(200);
      await Promise.all(leaving.map((peer) => peer.ask("hello", hello.header, hello.content)));
      return leaving;
    };
    let leaving = await come();
    return async () => {
      for (let i = 0; i < size; i++) {
        if (i > 0) leaving = await come();
        for (const peer of leaving) peer.close();
        for (let count = 0; count < 400; count++) {
          assertEquals((await reader!.header())["op"], "pub");
        }
        const { pendingBytes, backlogBytes } = broker.stats();
        assert(backlogBytes < 20_000_000, `${pendingBytes} wait, and take ${backlogBytes}`);
      }
    };
  },
  async "40 publications at once that 16,384 filters match"({ peers, size }) {
    // Who asks together with them waits for all that came before: that must be little by itself.
    const [one, ...publishers] = await peers(41);
    const filter = (i: number) =>
      Array.from({ length: 14 }, (_, bit) => (i >> bit) & 1 ? "*" : "a").join(".");
    await send(one!, times(16_384, (i) => op("sub", { topic: filter(i) })));
    const publication = times(1, () => op("pub", { topic: filter(0) }));
    return async () => {
      for (let i = 0; i < 3 * size; i++) {
        await Promise.all(publishers.map((peer) => send(peer, publication)));
      }
    };
  },
};

/**
 * Attacks a broker, and asserts what another client feels meanwhile.
 *
 * @param size How many times as much as the attack's name says is asked for.
 * @param boundMs What it may feel. Without it, a machine that is busy may disturb two of three attacks.
 */
export async function attackBroker(name: string, size = 1, boundMs?: number): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await attackOnce(name, size, boundMs);
    } catch (error) {
      if (!(error instanceof AssertionError) || boundMs !== undefined || tries === 3) throw error;
    }
  }
}

async function attackOnce(name: string, size: number, boundMs?: number): Promise<void> {
  await using broker = await startBroker();
  using stack = new DisposableStack();
  const peers = async (count: number) => {
    const all = await Promise.all(Array.from({ length: count }, () => RawPeer.to(broker)));
    for (const peer of all) stack.use(peer);
    return all;
  };
  const begin = await ATTACKS[name]!({ broker, peers, size });
  const [neighbour] = await peers(1);
  const ask = async () => assertEquals((await neighbour!.ask("ping", { id: 1 }))["op"], "pong");
  const options = { everyMs: 2, work: ownWork, boundMs };
  await latenciesBeside(ask, async () => void await begin(), options);
}
