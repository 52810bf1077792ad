import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import { type Broker, PUBSUB_RIGHTS } from "../../../../lib/pubsub/mod.ts";
import { until } from "../../../support/deadline.ts";
import { RawPeer, startBroker } from "../../support.ts";

const RIGHTS = { publish: { allow: [">"] }, subscribe: { allow: [">", "_inbox.>"] } };
const FILE = JSON.stringify({ tokens: [{ name: "ali", token: hashToken("a"), ...RIGHTS }] });

/** A client that has said hello, and the token of its inbox. */
async function greeted(broker: Broker): Promise<{ peer: RawPeer; inbox: string }> {
  const peer = await RawPeer.to(broker);
  const answer = await peer.ask("hello", { id: 1, token: "a" });
  return { peer, inbox: answer["inbox"] as string };
}

async function codeOf(peer: RawPeer, topic: string): Promise<unknown> {
  return (await peer.ask("sub", { topic, id: 2 }))["code"];
}

for (const authenticated of [false, true]) {
  const where = authenticated ? "with" : "without";
  Deno.test(`an inbox is its connection's own, ${where} authentication`, async () => {
    const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
    await using broker = await startBroker(authenticated ? { authenticator } : {});
    const { peer: owner, inbox } = await greeted(broker);
    const { peer: other, inbox: otherInbox } = await greeted(broker);
    using _ = owner;
    assertMatch(inbox, /^[0-9a-f]{32}$/);
    assertNotEquals(inbox, otherInbox);
    assertEquals(
      (await owner.ask("hello", { id: 3 }))["inbox"] ?? inbox,
      inbox,
      "one a connection",
    );
    for (const rest of ["*", ">", "1", "*.x"]) {
      assertEquals(await codeOf(owner, `_inbox.${inbox}.${rest}`), undefined, rest);
      assertEquals(await codeOf(other, `_inbox.${inbox}.${rest}`), "forbidden", rest);
    }
    for (const filter of ["_inbox.>", "_inbox.*.1", "_inbox.*", "_inbox.*.*"]) {
      assertEquals(await codeOf(other, filter), "forbidden", filter);
    }
    assertEquals(await codeOf(other, `_inbox.${inbox}`), "forbidden");
    // Nobody's inbox is as before, where nobody has to say who they are.
    const expected = authenticated ? "forbidden" : undefined;
    assertEquals(await codeOf(other, "_inbox.nobodys.*"), expected);
    await other.pub(`_inbox.${inbox}.1`, "reply");
    const topics = [];
    for (let i = 0; i < 1; i++) topics.push((await owner.frame()).text());
    assertEquals(topics, ["reply"], "everybody may publish there");
    const retained = await other.ask(
      "pub",
      { topic: `_inbox.${inbox}.1`, retain: true, id: 4 },
      "x",
    );
    assertEquals([retained["code"], broker.stats().retained], ["forbidden", 0]);
    other.close();
    await until(() => broker.stats().connections === 1, "the other has left");
    const late = await codeOf(owner, `_inbox.${otherInbox}.*`);
    assertEquals(late, expected, "it is nobody's any more");
    assert(broker.stats().errors > 0);
  });
}

Deno.test("a client without hello has no inbox", async () => {
  await using broker = await startBroker();
  const { peer: owner, inbox } = await greeted(broker);
  using _ = owner;
  using silent = await RawPeer.to(broker);
  assertEquals(await codeOf(silent, `_inbox.${inbox}.*`), "forbidden");
  assertEquals(await codeOf(silent, "_inbox.mine.*"), undefined);
});
