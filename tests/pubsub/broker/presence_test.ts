import { assert, assertEquals } from "@std/assert";
import { type Authenticator, Principal } from "../../../lib/pubsub/mod.ts";
import { op, RawPeer, startBroker } from "../support.ts";

/** What is told next: the topic, and what of it does not change from run to run. */
async function told(peer: RawPeer): Promise<unknown[]> {
  const frame = await peer.frame();
  const { name, user, reason, published } = frame.json() as Record<string, unknown>;
  return [frame.header["topic"], name, user, reason, published];
}

Deno.test("who subscribes to it is told of clients that come and go", async () => {
  await using broker = await startBroker();
  using watcher = await RawPeer.to(broker);
  await watcher.sub("_sys.connected");
  assertEquals(await told(watcher), ["_sys.connected", "", "anonymous", undefined, undefined]);
  await watcher.sub("_sys.disconnected");
  for (const reason of ["bye", "closed", "broken-frame"]) {
    using peer = await RawPeer.to(broker);
    await peer.ask("hello", { id: 1, name: "me" });
    assertEquals(await told(watcher), ["_sys.connected", "me", "anonymous", undefined, undefined]);
    await peer.send(op("pub", { topic: "t" }));
    if (reason === "bye") await peer.send(op("bye"));
    else if (reason === "closed") await peer.closeWrite();
    else await peer.send(Uint8Array.of(0, 0));
    assertEquals(await told(watcher), ["_sys.disconnected", "me", "anonymous", reason, 1]);
  }
});

Deno.test("clients are told of once they are known, and to those who may know", async () => {
  const authenticator: Authenticator = {
    authenticate: ({ token }) =>
      Promise.resolve(
        token === undefined ? undefined : new Principal(token, {
          subscribe: { allow: token === "operator" ? [">", "_sys.*"] : [">"], deny: [] },
        }),
      ),
  };
  await using broker = await startBroker({ authenticator });
  using watcher = await RawPeer.to(broker);
  await watcher.ask("hello", { id: 1, token: "operator" });
  await watcher.sub("_sys.*");
  using curious = await RawPeer.to(broker);
  await curious.ask("hello", { id: 1, token: "user", name: "curious" });
  assertEquals(await told(watcher), ["_sys.connected", "curious", "user", undefined, undefined]);
  for (const topic of ["_sys.connected", "_sys.>"]) {
    assertEquals((await curious.ask("sub", { topic, id: 2 }))["code"], "forbidden");
  }
  await curious.sub(">");
  using stranger = await RawPeer.to(broker);
  await stranger.ask("ping", { id: 1 });
  stranger.close();
  using third = await RawPeer.to(broker);
  await third.ask("hello", { id: 1, token: "third" });
  assertEquals(await told(watcher), ["_sys.connected", "", "third", undefined, undefined]);
  assertEquals((await curious.ask("ping", { id: 3 }))["op"], "pong", "it heard of nobody");
});

Deno.test("nobody but the broker tells who comes and goes", async () => {
  await using broker = await startBroker();
  using peer = await RawPeer.to(broker);
  for (const topic of ["_sys.connected", "_sys.disconnected"]) {
    const answer = await peer.ask("pub", { topic, id: 1, "reply-to": "x" }, "{}");
    assertEquals(answer["code"], "bad-topic");
  }
  assert(broker.stats().published === 0);
});
