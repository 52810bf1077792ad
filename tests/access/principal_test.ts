import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Authenticator, Principal } from "../../lib/access/mod.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { connectBroker, PubSubError, serveBroker } from "../../lib/pubsub/mod.ts";

Deno.test("a principal takes lists of texts, and keeps them as they were", () => {
  const allow = ["orders.>"];
  const alice = new Principal("alice", { publish: { allow, deny: undefined! } });
  allow.push(">");
  assertEquals(alice.permission("publish"), { allow: ["orders.>"], deny: [] });
  const wrong: readonly (readonly [unknown, unknown, string])[] = [
    [5, {}, "name"],
    ["a", null, "rights"],
    ["a", { publish: [">"] }, "publish"],
    ["a", { publish: { allow: ">" } }, "publish.allow"],
    ["a", { publish: { allow: [">"], deny: [5] } }, "publish.deny"],
  ];
  for (const [name, rights, label] of wrong) {
    assertThrows(() => new Principal(name as string, rights as never), TypeError, `as ${label}:`);
  }
});

Deno.test("an authenticator that gives no principal has failed, and nobody is let in", async () => {
  for (const given of ["alice", true, { name: "alice" }]) {
    const reported: string[] = [];
    using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
    const authenticator = { authenticate: () => Promise.resolve(given) } as unknown;
    await using broker = await serveBroker("127.0.0.1:0", {
      authenticator: authenticator as Authenticator,
    });
    const credentials = { user: "alice", password: "secret" };
    const options = { credentials, reconnect: false } as const;
    const error = await assertRejects(() => connectBroker(broker.address, options), PubSubError);
    assertEquals(error.code, "unavailable");
    assertEquals(reported, [
      "The authenticator failed: TypeError: Cannot use undefined as principal.permission: give a function",
    ]);
  }
});
