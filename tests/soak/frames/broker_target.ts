import { assertEquals } from "@std/assert";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import { Scratch } from "../../support/scratch.ts";
import { FrameJudge, type FrameRules } from "./judge.ts";
import type { Random } from "../random.ts";
import type { LooseFrame } from "./mutate.ts";
import { MAX_CONTENT_BYTES, type Target, type Transport } from "./target.ts";

const FILTERS = ["a", "a.b", "a.*", "a.>", "*.b", "*", ">", "a.b.c", "é.ü", "_inbox.x"];
const TOPICS = FILTERS.filter((filter) => !/[*>]/.test(filter));

/** A broker that keeps little. */
export function startBrokerTarget(name: string, transport: Transport): Promise<Target> {
  return startTarget(name, transport, operation);
}

/** A broker with a store, which is asked for streams and consumers too. */
export async function startStreamsTarget(
  name: string,
  { flags, tls }: Transport,
): Promise<Target> {
  const scratch = new Scratch();
  const withStore = { flags: ["--store", scratch.at("store"), ...flags], tls };
  const target = await startTarget(
    name,
    withStore,
    (random) => random.chance(0.3) ? operation(random) : streamOperation(random),
  );
  const end = async () => {
    await using _target = target;
    scratch[Symbol.dispose]();
  };
  return { ...target, [Symbol.asyncDispose]: end };
}

async function startTarget(
  name: string,
  { flags, tls }: Transport,
  frame: (random: Random) => LooseFrame,
): Promise<Target> {
  const server = await ServerProgram.start(script(
    "cmd/broker.ts",
    ...[":0", "--max-content", `${MAX_CONTENT_BYTES}`, "--max-pending", "256KiB"],
    ...["--max-retained", "1MiB", "--ping-interval", "5s"],
    ...flags,
  ));
  const neighbour = await connectBroker(server.address, { tls });
  const subscription = await neighbour.subscribe("neighbour.>");
  let count = 0;
  const rules: FrameRules = {
    name,
    // An error with a sid alone tells that what was read has ended.
    isAnswer: ({ header: { op, id, sid } }) =>
      ["ok", "error", "pong"].includes(op as string) && (sid === undefined || id !== undefined),
    // What attackers publish to each other may be more than one of them takes.
    isFarewell: ({ header }) =>
      header["op"] === "bye" &&
      ["slow-consumer", "over-budget"].includes(header["reason"] as string),
    isOwnFault: ({ header }) => ["internal", "storage-failed"].includes(header["code"] as string),
  };
  return {
    name,
    server,
    tls,
    ingredients: { frame, maxContentBytes: MAX_CONTENT_BYTES },
    async askNeighbour() {
      const text = `message ${count++}`;
      assertEquals(await neighbour.publishConfirmed("neighbour.a", text) >= 1, true);
      const { value } = await deadline(subscription.next(), "a publication for the neighbour");
      assertEquals([value?.topic, value?.text()], ["neighbour.a", text]);
    },
    judge: (attack) => new FrameJudge(attack, rules),
    async [Symbol.asyncDispose]() {
      await neighbour.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function operation(random: Random): LooseFrame {
  const id = random.int(1, 1_000_000);
  const none = new Uint8Array();
  const filter = random.pick(FILTERS);
  const group = random.chance(0.2) ? { group: random.pick(["g", "h"]) } : {};
  return random.pick<() => LooseFrame>([
    () => ({ fields: { op: "hello", id, version: 1, name: "attacker" }, content: none }),
    () => ({ fields: { op: "ping", id }, content: none }),
    () => ({
      fields: {
        ...{ op: "sub", id, topic: filter, ...group },
        slow: random.pick(["drop-oldest", "drop-new", "latest", "disconnect"]),
      },
      content: none,
    }),
    () => ({ fields: { op: "unsub", id, topic: filter, ...group }, content: none }),
    ...Array.from({ length: 4 }, () => () => ({
      fields: {
        ...{ op: "pub", id, topic: random.pick(TOPICS) },
        ...(random.chance(0.3) ? { retain: true } : {}),
        ...(random.chance(0.2) ? { "reply-to": random.pick(TOPICS) } : {}),
      },
      content: new Uint8Array(random.pick([0, 1, 100, 5_000, MAX_CONTENT_BYTES])).fill(97),
    })),
    () => ({
      fields: {
        ...{ op: "pub", id, topic: random.pick(["_sys.stats", "_sys.connections", "_sys.topics"]) },
        "reply-to": "a",
      },
      content: new TextEncoder().encode('{"limit":3}'),
    }),
  ])();
}

function streamOperation(random: Random): LooseFrame {
  const id = random.int(1, 1_000_000);
  const stream = random.pick(["s", "t", "u", "_dead"]);
  const sid = random.int(0, 5);
  const on = { stream, consumer: random.pick(["c", "d"]) };
  const filter = random.chance(0.3) ? { topic: random.pick(FILTERS) } : {};
  const start = random.pick<Record<string, unknown>>([
    ...[{}, { from: "all" }, { from: "last" }, { from: "new" }],
    ...[{ "from-seq": random.int(1, 50) }, { "from-time": Date.now() - random.int(0, 60_000) }],
  ]);
  const runs = random.chance(0.5);
  const deliveries = Array.from({ length: random.int(1, 20) }, () => random.int(1, 500));
  const limits = { "max-count": 500, "dedup-ms": 1_000, sync: "interval" };
  const fields = random.pick<() => Record<string, unknown>>([
    ...["s", "t"].map((name, i) => () => ({
      ...{ op: "stream", do: "create", name, topics: [["a.>", "a"], ["é.*"]][i], ...limits },
      ...random.chance(0.2) && { "max-per-topic": 2 },
      ...random.chance(0.2) && { keep: "until-acked" },
    })),
    () => ({
      op: "stream",
      do: "update",
      name: stream,
      full: random.pick(["refuse", "drop-oldest"]),
    }),
    () => ({ op: "stream", do: random.pick(["info", "list", "purge"]), name: stream, ...filter }),
    () => ({ op: "stream", do: random.chance(0.1) ? "backup" : "delete", name: stream, sid }),
    () => ({ op: "sub", stream, sid, runs, ...filter, ...start }),
    () => ({ op: "consume", ...on, sid, runs, ...filter, ...start, "max-attempts": 2 }),
    () => ({ op: "consume", ...on, sid, prefetch: 3, "ack-wait-ms": random.int(1, 100) }),
    ...["ack", "nack", "working"].map((op) => () => ({ op, ...on, deliveries })),
    () => ({ op: "consumer", do: random.pick(["info", "list", "redrive", "delete"]), ...on }),
    () => ({ op: "consumer", do: "reset", ...on, ...start }),
    () => ({ op: "unsub", sid }),
    ...Array.from({ length: 6 }, () => () => ({
      ...{ op: "pub", topic: random.pick(TOPICS), stored: random.chance(0.8) },
      ...random.chance(0.3) && { "msg-id": `${random.int(1, 100)}` },
      ...random.chance(0.1) && { "expect-seq": random.int(0, 50) },
    })),
  ])();
  const size = fields["op"] === "pub" ? random.pick([0, 1, 100, 5_000, MAX_CONTENT_BYTES]) : 0;
  return { fields: { ...fields, id }, content: new Uint8Array(size).fill(97) };
}
