import { assert, assertEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../lib/access/mod.ts";
import type { OutgoingFrame } from "../../../lib/frame/mod.ts";
import { type Broker, PUBSUB_RIGHTS } from "../../../lib/pubsub/mod.ts";
import { op, RawPeer, startBroker } from "../support.ts";

const FILE = JSON.stringify({
  tokens: [
    {
      name: "limited",
      token: hashToken("limited"),
      publish: { allow: ["open.>", "_sys.stats"], deny: ["open.closed.>"] },
      subscribe: { allow: ["open.>"] },
    },
    {
      name: "watcher",
      token: hashToken("watcher"),
      publish: { allow: ["probe"] },
      subscribe: { allow: [">"] },
    },
  ],
});

async function login(broker: Broker, token: string): Promise<RawPeer> {
  const peer = await RawPeer.to(broker);
  assertEquals((await peer.ask("hello", { id: 1, token }))["op"], "ok");
  return peer;
}

/** Every way by which a client can have bytes arrive on a topic; none may, on one of these. */
const TOPICS = [
  ...["closed", "closed.deep", "open.closed.x", "probe", "_other.x", "_sys.none", "_sys.connected"],
  ...["_dead.open.c", "_socktool.told", "_inbox"],
];
const WAYS: Record<string, (topic: string) => OutgoingFrame[]> = {
  "a publication": (topic) => [op("pub", { topic }, "x")],
  "one with an id": (topic) => [op("pub", { topic, id: 7 }, "x")],
  "a retained one": (topic) => [op("pub", { topic, retain: true }, "x")],
  "a retained one with an id": (topic) => [op("pub", { topic, retain: true, id: 7 }, "x")],
  "one without content that clears": (topic) => [op("pub", { topic, retain: true })],
  "one that a stream is to keep": (topic) => [op("pub", { topic, stored: true, id: 7 }, "x")],
  "one behind others that are permitted": (topic) => [
    op("pub", { topic: "open.x" }, "ok"),
    op("pub", { topic: "open.x" }, "ok"),
    op("pub", { topic }, "x"),
    op("pub", { topic: "open.x" }, "ok"),
  ],
  "the same header again": (topic) => Array(3).fill(op("pub", { topic }, "x")),
  "a header too large to be remembered": (topic) => [
    op("pub", { topic, padding: "p".repeat(1_000) }, "x"),
  ],
  "a header that only escapes tell apart": (topic) => [
    {
      header: JSON.parse(`{"op":"pub","topic":${JSON.stringify(topic)},"\\u0061":1}`),
      content: "x",
    },
  ],
  "the answer to a request to the broker": (topic) => [
    op("pub", { topic: "_sys.stats", "reply-to": topic }),
  ],
  "that with an id": (topic) => [op("pub", { topic: "_sys.stats", "reply-to": topic, id: 7 })],
};

for (const [way, framesOf] of Object.entries(WAYS)) {
  Deno.test(`nothing arrives where the sender may not publish, by ${way}`, async () => {
    const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
    await using broker = await startBroker({ authenticator });
    using watcher = await login(broker, "watcher");
    await watcher.sub(">");
    using limited = await login(broker, "limited");
    for (const topic of TOPICS) {
      const frames = framesOf(topic);
      await limited.send(...frames, op("ping", { id: 99 }));
      const codes = [];
      for (let header = await limited.header(); header["op"] !== "pong";) {
        codes.push(header["code"]);
        header = await limited.header();
      }
      const refused = frames.filter(({ header }) => header?.["topic"] !== "open.x").length;
      assertEquals(codes.length, refused, `${topic}: ${codes}`);
      for (const code of codes) assert(code === "forbidden" || topic === "_sys.none", `${code}`);
    }
    // What comes behind it shows that nothing came before, but what was permitted.
    using prober = await login(broker, "watcher");
    await prober.pub("probe");
    const seen: unknown[] = [];
    while (seen.at(-1) !== "probe") seen.push((await watcher.header())["topic"]);
    assertEquals(seen.filter((topic) => topic !== "open.x"), ["probe"]);
    assertEquals(broker.stats().retained, 0);
  });
}

Deno.test("a publication keeps its sender's rights when the same bytes come from another", async () => {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
  await using broker = await startBroker({ authenticator });
  using watcher = await login(broker, "watcher");
  using limited = await login(broker, "limited");
  for (const [peer, probe, open] of [[watcher, "ok", "error"], [limited, "error", "ok"]] as const) {
    for (let i = 0; i < 3; i++) {
      assertEquals((await peer.ask("pub", { topic: "probe", id: 1 }))["op"], probe);
      assertEquals((await peer.ask("pub", { topic: "open.x", id: 1 }))["op"], open);
    }
  }
});
