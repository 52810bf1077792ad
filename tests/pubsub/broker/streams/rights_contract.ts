/** What users may do with streams is up to the auth file, whatever keeps them. */
import { assertEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import { PUBSUB_RIGHTS } from "../../../../lib/pubsub/mod.ts";
import { RawPeer } from "../../support.ts";
import type { ContractCase, StreamsPlace } from "./contract_case.ts";

const ALL = { allow: [">"] };

/** What each user may do with the stream `orders`. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  creator: ["create"],
  storer: ["store"],
  reader: ["read"],
  consumer: ["consume"],
  purger: ["purge"],
  nobody: [],
};

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

/** Requests, and who may make them. Each is made with the next `sid`. */
const CASES: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
  ["stream", { do: "update", name: "orders" }, ["creator"]],
  ["pub", { topic: "orders.a", stored: true }, ["storer"]],
  ["pub", { topic: "orders.a" }, Object.keys(USERS)],
  ["sub", { stream: "orders" }, ["reader"]],
  ["consume", ON, ["consumer"]],
  ["consumer", { do: "list", stream: "orders" }, ["consumer"]],
  ["consumer", { do: "redrive", ...ON }, ["consumer"]],
  ["sub", { topic: "_dead.orders.c" }, ["consumer"]],
  ["sub", { topic: "_dead.orders.*" }, ["consumer"]],
  ["sub", { topic: "_dead.*.c" }, []],
  ["sub", { topic: "_dead.>" }, []],
  ["sub", { stream: "_dead", topic: "_dead.orders.>" }, ["consumer"]],
  ["sub", { stream: "_dead" }, []],
  ["stream", { do: "purge", name: "orders" }, ["purger"]],
  [
    "stream",
    { do: "info", name: "orders" },
    Object.keys(USERS).filter((name) => name !== "nobody"),
  ],
  ["stream", { do: "backup", sid: 1_000 }, []],
  ["stream", { do: "create", name: "other", topics: ["other.>"] }, []],
];

/** A part of what clients may rely on. */
export const RIGHTS: ContractCase = {
  name: "users may do with a stream what the auth file says",
  async run(place) {
    await place.withBroker(async (open) => {
      using peer = await RawPeer.to(open);
      await peer.ask("stream", { do: "create", name: "orders", topics: ["orders.>"], id: 1 });
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
    for (const user of Object.keys(USERS)) {
      let sid = 0;
      for (const [name, fields, may] of CASES) {
        using peer = await RawPeer.to(broker);
        await peer.ask("hello", { id: 1, token: user });
        const isStream = name === "consume" || fields["stream"] !== undefined;
        const answer = await peer.ask(name, { id: 2, ...isStream && { sid: ++sid }, ...fields });
        const what = `${user}: ${name} ${JSON.stringify(fields)}: ${JSON.stringify(answer)}`;
        assertEquals(answer["op"], may.includes(user) ? "ok" : "error", what);
        if (answer["op"] === "error") assertEquals(answer["code"], "forbidden", what);
      }
      using peer = await RawPeer.to(broker);
      await peer.ask("hello", { id: 1, token: user });
      const { streams } = await peer.ask("stream", { do: "list", id: 2 }) as { streams: unknown[] };
      assertEquals(streams.length, user === "nobody" ? 0 : 1, `${user} sees what it has rights on`);
    }
  }, { authenticator });
}
