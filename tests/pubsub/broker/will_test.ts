import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Authenticator, Principal } from "../../../lib/pubsub/mod.ts";
import { rawFrame } from "../../support/peers.ts";
import { until } from "../../support/deadline.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const WILL = { will: "state.me", "content-type": "x/y", "content-encoding": "utf-16le" };
const GONE = new Uint8Array(new Uint16Array([..."gone"].map((c) => c.charCodeAt(0))).buffer);

/** Who a client is by its token: the filters that it may publish on. */
const byToken: Authenticator = {
  authenticate: ({ token }) =>
    Promise.resolve(
      token === undefined ? undefined : new Principal(token, {
        publish: { allow: [token], deny: [] },
        subscribe: { allow: [">", "_sys.>"], deny: [] },
      }),
    ),
};

/** The ways in which a connection ends, and whether its will is published then. */
const ENDINGS: Record<string, [isPublished: boolean, end: (peer: RawPeer) => Promise<unknown>]> = {
  "its client says bye": [false, (peer) => peer.ask("bye")],
  "its client closes": [true, (peer) => Promise.resolve(peer.close())],
  "its client closes its sending half": [true, (peer) => peer.closeWrite()],
  "its client sends a broken frame": [true, (peer) => peer.send(Uint8Array.of(0, 0))],
  "its client breaks off in a frame": [true, async (peer) => {
    await peer.send(rawFrame("{}").subarray(0, 3));
    peer.close();
  }],
  "its client answers no ping": [true, () => Promise.resolve()],
};

for (const [what, [isPublished, end]] of Object.entries(ENDINGS)) {
  const word = isPublished ? "is" : "is not";
  Deno.test(`a will ${word} published when ${what}`, async () => {
    const pings = what.includes("ping") ? { pingIntervalMs: 60 } : {};
    await using broker = await startBroker(pings);
    using subscriber = await RawPeer.to(broker);
    await subscriber.sub("state.>");
    const alive = setInterval(() => void subscriber.send(op("pong")).catch(() => {}), 20);
    const peer = await RawPeer.to(broker);
    assertEquals((await peer.ask("hello", { id: 1, ...WILL }, GONE))["op"], "ok");
    assert(broker.stats().filterBytes > 0, "it counts");
    await peer.send(op("pub", { topic: "state.me" }, "here"));
    const next = async () => {
      for (;;) {
        const frame = await subscriber.frame();
        if (frame.header["op"] !== "ping") return frame;
      }
    };
    assertEquals((await next()).text(), "here");
    await end(peer);
    if (isPublished) {
      const frame = await next();
      const { op, topic, "content-type": type } = frame.header;
      assertEquals([op, topic, type, frame.text()], ["pub", "state.me", "x/y", "gone"]);
    }
    await until(() => broker.stats().connections === 1, "it has ended");
    clearInterval(alive);
    await subscriber.send(op("ping", { id: 5 }));
    assertEquals((await next()).header["id"], 5, "nothing more was published");
    peer.close();
  });
}

Deno.test("no will is published when the broker shuts down", async () => {
  const broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  await subscriber.sub("state.>");
  using peer = await RawPeer.to(broker);
  await peer.ask("hello", { id: 1, ...WILL }, GONE);
  const drained = broker.drain();
  assertEquals((await subscriber.header())["reason"], "shutdown");
  assertEquals(await subscriber.answer(), undefined);
  subscriber.close();
  peer.close();
  await drained;
});

Deno.test("another hello replaces the will, one without takes it back", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  await subscriber.sub("*");
  for (const wills of [["a", "b"], ["a", undefined], [undefined, "c"]]) {
    const peer = await RawPeer.to(broker);
    for (const will of wills) await peer.ask("hello", { id: 1, will }, "gone");
    peer.close();
    const last = wills.at(-1);
    if (last !== undefined) assertEquals((await subscriber.header())["topic"], last);
    await until(() => broker.stats().connections === 1, "it has ended");
  }
  assertEquals((await subscriber.ask("ping", { id: 5 }))["op"], "pong");
});

Deno.test("a will is a publication of its client's: it goes where that may publish, or is refused", async () => {
  await using broker = await startBroker({ authenticator: byToken });
  using subscriber = await RawPeer.to(broker);
  await subscriber.ask("hello", { id: 1, token: "none" });
  await subscriber.sub(">");
  const peer = await RawPeer.to(broker);
  const refused = await peer.ask("hello", { id: 2, token: "own.*", will: "other" }, "gone");
  assertEquals([refused["code"], refused["id"]], ["forbidden", 2]);
  assertEquals(
    (await peer.ask("hello", { id: 3, token: "own.*", will: "own.x" }, "x"))["op"],
    "ok",
  );
  peer.close();
  assertEquals((await subscriber.header())["topic"], "own.x");
});

Deno.test("wills are bounded, each and together", async () => {
  await using broker = await startBroker({ maxFilterBytes: 400_000 });
  using large = await RawPeer.to(broker);
  const tooLarge = await large.ask("hello", { id: 1, will: "a" }, "x".repeat(65_537));
  assertEquals(tooLarge["code"], "frame-too-large");
  const peers: RawPeer[] = [];
  let refused: unknown;
  while (refused === undefined) {
    const peer = await RawPeer.to(broker);
    peers.push(peer);
    refused = (await peer.ask("hello", { id: 1, will: "a" }, "x".repeat(65_536)))["code"];
  }
  assertEquals([refused, peers.length], ["over-budget", 7]);
  for (const peer of peers) peer.close();
  await until(() => broker.stats().connections === 1, "they have ended");
  assertEquals(broker.stats().filterBytes, 0);
});

Deno.test("whatever a will is, it arrives as it was given", async () => {
  await using broker = await startBroker();
  using subscriber = await RawPeer.to(broker);
  await subscriber.sub("w");
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), async (content) => {
      const peer = await RawPeer.to(broker);
      await peer.send(op("hello", { id: 1, will: "w" }, content));
      assertEquals((await peer.header())["op"], "ok");
      peer.close();
      assertEquals((await subscriber.frame()).content, content);
    }),
    { numRuns: 20 },
  );
});
