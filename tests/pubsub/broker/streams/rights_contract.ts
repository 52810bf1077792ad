/** What users may do with streams is up to the auth file, whatever keeps them. */
import { assertEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import { PUBSUB_RIGHTS } from "../../../../lib/pubsub/mod.ts";
import { op, RawPeer } from "../../support.ts";
import type { ContractCase, StreamsPlace } from "./contract_case.ts";

const ALL = { allow: [">"] };

/** What each user may do with the stream `orders`. The creator deletes it and makes it again. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  storer: ["store"],
  reader: ["read"],
  consumer: ["consume"],
  purger: ["purge"],
  nobody: [],
  creator: ["create"],
};

const EVERYBODY = Object.keys(USERS);

const FILE = JSON.stringify({
  tokens: Object.entries(USERS).map(([name, rights]) => ({
    name,
    token: hashToken(name),
    publish: ALL,
    subscribe: ALL,
    streams: { orders: rights },
  })),
});

const ON = { stream: "orders", consumer: "c" };
const ORDERS = { name: "orders", topics: ["orders.>"] };

/** A request, who may make it, and how it is answered then. Each is made with the next `sid`. */
type Case = readonly [
  op: string,
  fields: Readonly<Record<string, unknown>>,
  may: readonly string[],
  answer?: string,
];

/** All that can be asked for, in the order in which each user asks. */
const CASES: readonly Case[] = [
  ["stream", { do: "create", ...ORDERS }, ["creator"], "stream-exists"],
  ["stream", { do: "create", name: "other", topics: ["other.>"] }, []],
  ["stream", { do: "update", name: "orders" }, ["creator"]],
  ["stream", { do: "info", name: "orders" }, EVERYBODY.filter((name) => name !== "nobody")],
  ["stream", { do: "list" }, EVERYBODY],
  ["stream", { do: "backup", sid: 1_000 }, []],
  ["pub", { topic: "orders.a", stored: true }, ["storer"]],
  ["pub", { topic: "orders.a" }, EVERYBODY],
  ["sub", { stream: "orders" }, ["reader"]],
  ["sub", { stream: "orders", from: "all", topic: "orders.a" }, ["reader"]],
  ["sub", { stream: "orders", from: "last" }, ["reader"]],
  ["consume", ON, ["consumer"]],
  ["consume", { stream: "orders", consumer: "another" }, ["consumer"]],
  ["ack", { ...ON, deliveries: [1] }, ["consumer"], "stale-ack"],
  ["nack", { ...ON, deliveries: [1] }, ["consumer"], "stale-ack"],
  ["working", { ...ON, deliveries: [1] }, ["consumer"], "stale-ack"],
  ["ack", { stream: "orders", consumer: "none", deliveries: [1] }, ["consumer"], "no-consumer"],
  ["consumer", { do: "list", stream: "orders" }, ["consumer"]],
  ["consumer", { do: "info", ...ON }, ["consumer"]],
  ["consumer", { do: "reset", ...ON, from: "new" }, ["consumer"]],
  ["consumer", { do: "redrive", ...ON }, ["consumer"]],
  ["consumer", { do: "delete", stream: "orders", consumer: "another" }, ["consumer"]],
  ["sub", { topic: "_dead.orders.c" }, ["consumer"]],
  ["sub", { topic: "_dead.orders.*" }, ["consumer"]],
  ["sub", { topic: "_dead.*.c" }, []],
  ["sub", { topic: "_dead.>" }, []],
  ["sub", { stream: "_dead", topic: "_dead.orders.>" }, ["consumer"]],
  ["sub", { stream: "_dead", topic: "_dead.orders.c", from: "all" }, ["consumer"]],
  ["sub", { stream: "_dead" }, []],
  ["consume", { stream: "_dead", consumer: "c" }, []],
  ["stream", { do: "info", name: "_dead" }, []],
  ["stream", { do: "update", name: "_dead" }, []],
  ["stream", { do: "delete", name: "_dead" }, []],
  ["stream", { do: "purge", name: "_dead" }, []],
  ["stream", { do: "purge", name: "_dead", topic: "_dead.orders.none" }, ["consumer"]],
  ["stream", { do: "purge", name: "orders" }, ["purger"]],
  ["stream", { do: "purge", name: "orders", topic: "orders.a", "before-seq": 1 }, ["purger"]],
  ["stream", { do: "delete", name: "orders" }, ["creator"]],
  ["stream", { do: "create", ...ORDERS }, ["creator"]],
];

/** A part of what clients may rely on. */
export const RIGHTS: ContractCase = {
  name: "users may do with a stream what the auth file says",
  async run(place) {
    await place.withBroker(async (open) => {
      using peer = await RawPeer.to(open);
      await peer.ask("stream", { do: "create", ...ORDERS, id: 1 });
      // So that there are dead letters to read.
      await peer.ask("pub", { topic: "orders.a", stored: true, id: 1 }, "x");
      await peer.ask("consume", { ...ON, sid: 1, "max-attempts": 1, id: 1 });
      const { delivery } = await peer.header();
      await peer.ask("nack", { ...ON, deliveries: [delivery], id: 1 });
    });
    await askAll(place);
  },
};

async function askAll(place: StreamsPlace): Promise<void> {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
  await place.withBroker(async (broker) => {
    for (const user of EVERYBODY) {
      using peer = await RawPeer.to(broker);
      await peer.ask("hello", { id: 1, token: user });
      for (const [i, [name, fields, may, allowed = "ok"]] of CASES.entries()) {
        const id = 2 + i;
        const isStream = name === "consume" || name === "sub" && "stream" in fields;
        await peer.send(op(name, { id, ...isStream && { sid: id }, ...fields }));
        // What it reads and consumes comes in between.
        let answer = await peer.header();
        while (answer["id"] !== id) answer = await peer.header();
        const what = `${user}: ${name} ${JSON.stringify(fields)}: ${JSON.stringify(answer)}`;
        const expected = may.includes(user) ? allowed : "forbidden";
        assertEquals(answer["code"] ?? answer["op"], expected, what);
        if (fields["do"] !== "list" || name !== "stream") continue;
        const { length } = answer["streams"] as unknown[];
        assertEquals(length, user === "nobody" ? 0 : 1, `${user} sees what it has rights on`);
      }
    }
  }, { authenticator });
}
