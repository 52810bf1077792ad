/** What connected clients notice when the authentication file gives them other rights. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  type AuthTable,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
} from "../../../lib/access/mod.ts";
import { type Broker, connectBroker, PUBSUB_RIGHTS, PubSubError } from "../../../lib/pubsub/mod.ts";
import { mayPublish, maySubscribe } from "../../../lib/pubsub/broker/routing/rights.ts";
import { deadline, until } from "../../support/deadline.ts";
import { quickHash } from "../../support/quick_hash.ts";
import { op, RawPeer, startBroker } from "../support.ts";

interface Rights {
  readonly publish?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly subscribe?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
}

const SECRET = quickHash("secret");
const OTHER = quickHash("other");
const WIDE: Rights = { publish: { allow: ["a.>"] }, subscribe: { allow: ["a.>", "b.*"] } };

/** A file with a token `t`, a user `u`, and somebody else, so that it is never empty. */
function file(token: Rights | undefined, user: Rights | undefined = token, password = SECRET) {
  return parseAuthFile(
    JSON.stringify({
      users: user ? [{ name: "u", password, ...user }] : [],
      tokens: [
        { name: "else", token: hashToken("else"), ...WIDE },
        ...token ? [{ name: "t", token: hashToken("t"), ...token }] : [],
      ],
    }),
    PUBSUB_RIGHTS,
  );
}

async function login(broker: Broker, credentials: Record<string, string>): Promise<RawPeer> {
  const peer = await RawPeer.to(broker);
  assertEquals((await peer.ask("hello", { id: 1, ...credentials }))["op"], "ok");
  return peer;
}

async function assertUnknown(broker: Broker, credentials: Record<string, string>): Promise<void> {
  using peer = await RawPeer.to(broker);
  assertEquals((await peer.ask("hello", { id: 1, ...credentials }))["code"], "unauthorized");
}

/** All that comes before the answer to a ping; `undefined` as the last if the broker closes. */
async function said(peer: RawPeer): Promise<(Record<string, unknown> | undefined)[]> {
  await peer.send(op("ping", { id: 4_000 }));
  const headers: (Record<string, unknown> | undefined)[] = [];
  for (;;) {
    const header = (await peer.answer())?.header;
    if (header?.["op"] === "pong" && header["id"] === 4_000) return headers;
    headers.push(header);
    if (header === undefined) return headers;
  }
}

const KINDS: Record<string, { next: () => AuthTable; expect: Expectation }> = {
  "the same file": { next: () => file(WIDE), expect: {} },
  "another order of users and rights": {
    next: () => file({ subscribe: WIDE.subscribe!, publish: WIDE.publish! }),
    expect: {},
  },
  "more rights": {
    next: () => file({ publish: { allow: [">"] }, subscribe: { allow: [">"] } }),
    expect: { mayPublish: true },
  },
  "a smaller right to publish": {
    next: () => file({ ...WIDE, publish: { allow: ["a.x"] } }),
    expect: { mayPublish: false },
  },
  "a denial to publish": {
    next: () => file({ ...WIDE, publish: { allow: ["a.>"], deny: ["a.b"] } }),
    expect: { mayPublish: false },
  },
  "no right to publish": {
    next: () => file({ subscribe: WIDE.subscribe! }),
    expect: { mayPublish: false },
  },
  "a smaller right to subscribe": {
    next: () => file({ ...WIDE, subscribe: { allow: ["a.>"] } }),
    expect: { ended: ["b.*", "b.x"] },
  },
  "a denial to subscribe": {
    next: () => file({ ...WIDE, subscribe: { allow: [">"], deny: ["a.secret.>"] } }),
    expect: { ended: ["a.>"] },
  },
  "no right to subscribe": {
    next: () => file({ publish: WIDE.publish! }),
    expect: { ended: ["a.>", "a.b", "b.*", "b.x"] },
  },
  "the user is gone": { next: () => file(undefined), expect: { gone: true } },
};

interface Expectation {
  readonly gone?: boolean;
  readonly ended?: readonly string[];
  readonly mayPublish?: boolean;
}

const FILTERS: ReadonlyMap<string, string | undefined> = new Map([
  ["a.>", undefined],
  ["a.b", undefined],
  ["b.*", "workers"],
  ["b.x", undefined],
]);

for (const [kind, { next, expect }] of Object.entries(KINDS)) {
  Deno.test(`rights change for who is connected: ${kind}`, async () => {
    for (const each of [{ token: "t" }, { user: "u", password: "secret" }]) {
      const authenticator = new FileAuthenticator(file(WIDE));
      await using broker = await startBroker({ authenticator });
      using peer = await login(broker, each);
      using other = await login(broker, { token: "else" });
      for (const [topic, group] of FILTERS) await peer.sub(topic, { group });
      await other.sub("a.>");
      authenticator.update(next());
      const heard = await said(peer);
      assertEquals(await said(other), []);
      if (expect.gone) {
        assertEquals(heard.map((header) => header?.["code"] ?? header?.["reason"]), [
          "unauthorized",
          "unauthorized",
          undefined,
        ]);
      } else {
        // The end of subscriptions is told when they have ended, perhaps behind the pong.
        const ended = [...expect.ended ?? []];
        while (heard.length < ended.length) heard.push(await peer.header());
        assertEquals(heard.map((header) => header?.["code"]), ended.map(() => "forbidden"));
        assertEquals(heard.map((header) => header?.["filter"]), ended);
        assertEquals(
          heard.map((header) => header?.["group"]),
          ended.map((filter) => FILTERS.get(filter)),
        );
        const answer = await peer.ask("pub", { topic: "a.b", id: 9 });
        if (expect.mayPublish === false) assertEquals(answer["code"], "forbidden");
        else assert(answer["op"] === "pub" || answer["op"] === "ok", JSON.stringify(answer));
      }
      if (expect.gone) await assertUnknown(broker, each);
    }
  });
}

for (const [kind, { next, expect }] of Object.entries(KINDS)) {
  const isHeard = !expect.gone && expect.mayPublish !== false;
  Deno.test(`a will ${isHeard ? "is" : "is not"} published after a change: ${kind}`, async () => {
    const authenticator = new FileAuthenticator(file(WIDE));
    await using broker = await startBroker({ authenticator });
    using other = await login(broker, { token: "else" });
    await other.sub("a.>");
    const peer = await login(broker, { token: "t", will: "a.b" });
    authenticator.update(next());
    peer.close();
    await until(() => broker.stats().connections === 1, "the client has gone");
    using prober = await login(broker, { token: "else" });
    await prober.pub("a.probe");
    const topics = isHeard ? ["a.b", "a.probe"] : ["a.probe"];
    for (const topic of topics) assertEquals((await other.header())["topic"], topic);
  });
}

Deno.test("another password ends the connections of the old one", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({ authenticator });
  using user = await login(broker, { user: "u", password: "secret" });
  using token = await login(broker, { token: "t" });
  authenticator.update(file(WIDE, WIDE, OTHER));
  assertEquals((await said(user)).length, 3);
  assertEquals(await said(token), []);
  await assertUnknown(broker, { user: "u", password: "secret" });
  using again = await login(broker, { user: "u", password: "other" });
  assertEquals(await said(again), []);
});

Deno.test("who only listens is told as well, and nothing more is delivered", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({ authenticator });
  using gone = await login(broker, { token: "t" });
  using restricted = await login(broker, { user: "u", password: "secret" });
  using other = await login(broker, { token: "else" });
  for (const peer of [gone, restricted]) {
    await peer.sub("a.b");
    await peer.sub("b.x");
  }
  authenticator.update(file(undefined, { ...WIDE, subscribe: { allow: ["b.*"] } }));
  assertEquals((await gone.header())["code"], "unauthorized");
  assertEquals((await gone.header())["reason"], "unauthorized");
  assertEquals(await gone.answer(), undefined);
  const told = await restricted.header();
  assertEquals([told["code"], told["filter"], told["id"]], ["forbidden", "a.b", undefined]);
  assertEquals(await other.pub("a.b"), 0);
  assertEquals(broker.stats().subscriptions, 1);
});

Deno.test("a client that reads nothing goes when its rights end", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({ authenticator, patienceMs: 0 });
  using stuck = await login(broker, { token: "t" });
  await stuck.sub("a.>");
  using publisher = await login(broker, { user: "u", password: "secret" });
  const content = "x".repeat(1_000_000);
  while (broker.connections().every(({ missed }) => missed === 0)) {
    await publisher.pub("a.b", content);
  }
  authenticator.update(file(undefined, WIDE));
  await until(() => broker.stats().connections === 1, "the stuck client is gone");
  assertEquals(broker.stats().backlogBytes, 0);
});

Deno.test("many subscriptions end in steps, and each is told", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({ authenticator });
  using peer = await login(broker, { token: "t" });
  const count = 5_000;
  await peer.send(...Array.from({ length: count }, (_, i) => op("sub", { topic: `a.${i}` })));
  assertEquals(await said(peer), []);
  authenticator.update(file({ subscribe: { allow: ["a.*.*", "a.7", "a.4999"] } }));
  const ended = new Set<unknown>();
  while (ended.size < count - 2) {
    const header = await peer.header();
    assertEquals([header["op"], header["code"]], ["error", "forbidden"]);
    ended.add(header["filter"]);
  }
  assert(!ended.has("a.7") && !ended.has("a.4999"));
  assertEquals([broker.stats().subscriptions, broker.connections()[0]?.filters], [2, 2]);
  const before = broker.stats().filterBytes;
  await peer.ask("unsub", { topic: "a.7", id: 1 });
  await peer.ask("unsub", { topic: "a.4999", id: 1 });
  assert(before > 0 && broker.stats().filterBytes === 0, "the budget is given back");
});

Deno.test("what a client has counts against its new rights' account, and limits of a user hold", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({
    authenticator,
    maxUserSubscriptions: 3,
    maxUserMemberships: 1,
  });
  using one = await login(broker, { token: "t" });
  using two = await login(broker, { token: "t" });
  await one.sub("a.1");
  await one.sub("a.2", { group: "g" });
  await two.sub("a.3");
  for (const rights of [{ ...WIDE, publish: { allow: ["x"] } }, WIDE, { ...WIDE, publish: {} }]) {
    authenticator.update(file(rights));
    for (const peer of [one, two]) {
      assertEquals(await said(peer), []);
      assertEquals((await peer.ask("sub", { topic: "a.4", id: 1 }))["code"], "too-many-filters");
    }
    assertEquals((await two.ask("unsub", { topic: "a.3", id: 1 }))["op"], "ok");
    assertEquals(
      (await two.ask("sub", { topic: "a.4", group: "g", id: 1 }))["code"],
      "too-many-groups",
    );
    await two.sub("a.3");
  }
});

Deno.test("the client library ends what may not be had any more, and goes on with the rest", async () => {
  const authenticator = new FileAuthenticator(file(WIDE));
  await using broker = await startBroker({ authenticator });
  const errors: unknown[] = [];
  await using client = await connectBroker(broker.address, {
    credentials: { token: "t" },
    onError: (error) => errors.push(error),
  });
  const kept = await client.subscribe("a.b");
  const lost = await client.subscribe("b.x");
  const alsoLost = await client.subscribe("b.x");
  await client.subscribe("b.*", { onMessage() {} });
  authenticator.update(file({ ...WIDE, subscribe: { allow: ["a.>"] } }));
  for (const subscription of [lost, alsoLost]) {
    const error = await assertRejects(() => deadline(subscription.next()), PubSubError);
    assertEquals(error.code, "forbidden");
  }
  await until(() => errors.length === 1, "a callback's end is told");
  assertEquals((errors[0] as PubSubError).code, "forbidden");
  assertEquals(await client.publishConfirmed("a.b", "still"), 1);
  assertEquals((await deadline(kept.next())).value?.text(), "still");
});

const token = fc.constantFrom("a", "b", "c");
const topic = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join("."));
const filter = fc.tuple(
  fc.array(fc.constantFrom("a", "b", "c", "*"), { minLength: 1, maxLength: 3 }),
  fc.boolean(),
).map(([tokens, rest]) => [...tokens, ...rest ? [">"] : []].join("."));
const permission = fc.record({
  allow: fc.array(filter, { maxLength: 3 }),
  deny: fc.array(filter, { maxLength: 1 }),
});
const rights = fc.record({ publish: permission, subscribe: permission });

Deno.test("whatever the rights become, a client has just those", async () => {
  const authenticator = new FileAuthenticator(file(undefined));
  await using broker = await startBroker({ authenticator });
  await fc.assert(
    fc.asyncProperty(
      fc.array(rights, { minLength: 2, maxLength: 4 }),
      fc.uniqueArray(filter, { maxLength: 8 }),
      fc.array(topic, { maxLength: 4 }),
      async (versions, filters, topics) => {
        authenticator.update(file(versions[0]));
        using peer = await login(broker, { token: "t" });
        let had = new Set<string>();
        for (const [version, each] of versions.entries()) {
          const table = file(each);
          const principal = table.tokens.get(hashToken("t"))!;
          if (version > 0) authenticator.update(table);
          const lost = [...had].filter((filter) => !maySubscribe(principal, filter));
          const heard = await said(peer);
          while (heard.length < lost.length) heard.push(await peer.header());
          assertEquals(heard.map((header) => header?.["filter"]).sort(), lost.sort());
          had = new Set([...had].filter((filter) => !lost.includes(filter)));
          for (const filter of filters) {
            const { op } = await peer.ask("sub", { topic: filter, id: 1 });
            assertEquals(op, maySubscribe(principal, filter) ? "ok" : "error", filter);
            if (op === "ok") had.add(filter);
          }
          for (const topic of topics) {
            await peer.send(op("pub", { topic }), op("pub", { topic, id: 5 }));
            const may = mayPublish(principal, topic);
            const headers = await said(peer);
            const codes = headers.filter((header) => header?.["op"] === "error").length;
            assertEquals(codes, may ? 0 : 2, topic);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});
