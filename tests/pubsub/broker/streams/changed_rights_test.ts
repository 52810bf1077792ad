/** What those who read streams notice when the authentication file gives them other rights. */
import { assertEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import { openStreamStore, PUBSUB_RIGHTS } from "../../../../lib/pubsub/mod.ts";
import { Scratch } from "../../../support/scratch.ts";
import { RawPeer, startBroker } from "../../support.ts";
import { storeWith } from "./support.ts";

const ALL = { allow: [">"] };

function file(orders: readonly string[], subscribe: readonly string[]) {
  const rights = { publish: ALL, subscribe: { allow: subscribe }, streams: { orders } };
  const tokens = [{ name: "t", token: hashToken("t"), ...rights }];
  return parseAuthFile(JSON.stringify({ tokens }), PUBSUB_RIGHTS);
}

Deno.test("a stream is read for as long as the client may, also if the right goes while it begins", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.at("store"));
  let begin = () => Promise.resolve();
  const authenticator = new FileAuthenticator(file(["create", "read", "consume"], [">"]));
  // It begins to read when it is let.
  const streams = storeWith(store, "read", async (init) => {
    const reader = await store.read(init);
    await begin();
    return reader;
  });
  await using broker = await startBroker({ authenticator, streams });
  const login = async () => {
    const peer = await RawPeer.to(broker);
    await peer.ask("hello", { id: 1, token: "t" });
    return peer;
  };
  using peer = await login();
  using other = await login();
  await peer.ask("stream", { do: "create", name: "orders", topics: ["orders.>"], id: 2 });
  const letters = { stream: "_dead", topic: "_dead.orders.>", from: "all", sid: 1 };
  await peer.ask("pub", { topic: "orders.a", id: 2 });
  const on = { stream: "orders", consumer: "c" };
  await peer.ask("consume", { ...on, sid: 3, "max-attempts": 1, id: 2 });
  const { delivery } = await peer.header();
  await peer.ask("nack", { ...on, deliveries: [delivery], id: 2 });
  await peer.ask("unsub", { sid: 3, id: 2 });
  assertEquals((await peer.ask("sub", { ...letters, id: 3 }))["op"], "ok");
  assertEquals([(await peer.header())["op"], (await peer.header())["op"]], ["pub", "caught-up"]);
  await other.ask("sub", { topic: "b", id: 2 });
  await other.ask("sub", { stream: "orders", from: "all", sid: 1, id: 3 });
  assertEquals([(await other.header())["op"], (await other.header())["op"]], ["pub", "caught-up"]);
  // It may read all of that still, and not b.
  authenticator.update(file(["read", "consume"], ["a"]));
  assertEquals((await other.header())["filter"], "b");
  assertEquals((await peer.ask("unsub", { sid: 1, id: 4 }))["op"], "ok");
  const [asking, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  begin = () => {
    asking.resolve();
    return goOn.promise;
  };
  const asked = peer.ask("sub", { stream: "orders", from: "all", sid: 2, id: 5 });
  await asking.promise;
  authenticator.update(file(["consume"], ["a"]));
  assertEquals((await other.header())["sid"], 1);
  goOn.resolve();
  assertEquals((await asked)["op"], "ok");
  const { sid, code } = await peer.header();
  assertEquals([sid, code], [2, "forbidden"]);
});
