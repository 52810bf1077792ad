import { assertEquals } from "@std/assert";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import { FrameJudge, type FrameRules } from "./judge.ts";
import type { Random } from "../random.ts";
import type { LooseFrame } from "./mutate.ts";
import { MAX_CONTENT_BYTES, type Target, type Transport } from "./target.ts";

const FILTERS = ["a", "a.b", "a.*", "a.>", "*.b", "*", ">", "a.b.c", "é.ü", "_inbox.x"];
const TOPICS = FILTERS.filter((filter) => !/[*>]/.test(filter));

/** A broker that keeps little. */
export async function startBrokerTarget(
  name: string,
  { flags, tls }: Transport,
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
    isAnswer: ({ header }) => ["ok", "error", "pong"].includes(header["op"] as string),
    // What attackers publish to each other may be more than one of them takes.
    isFarewell: ({ header }) =>
      header["op"] === "bye" &&
      ["slow-consumer", "over-budget"].includes(header["reason"] as string),
    isOwnFault: ({ header }) => header["code"] === "internal",
  };
  return {
    name,
    server,
    tls,
    ingredients: { frame: operation, maxContentBytes: MAX_CONTENT_BYTES },
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
