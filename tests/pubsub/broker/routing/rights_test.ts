import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Permission, Principal } from "../../../../lib/access/mod.ts";
import { mayPublish, maySubscribe } from "../../../../lib/pubsub/broker/routing/rights.ts";

function principal(allow: string[], deny: string[]): Principal {
  const permission: Permission = { allow, deny };
  return new Principal("somebody", { publish: permission, subscribe: permission });
}

Deno.test("publishing needs a filter that allows the topic, and none that denies it", () => {
  const one = principal(["orders.>", "_sys.stats"], ["orders.secret.>", "_inbox.closed.>"]);
  const cases: Record<string, boolean> = {
    "orders.eu": true,
    "orders": false,
    "orders.secret": true,
    "orders.secret.x": false,
    "other": false,
    "_sys.stats": true,
    "_sys.connections": false,
    "_inbox.anybody.1": true,
    "_inbox.closed.1": false,
  };
  for (const [topic, may] of Object.entries(cases)) {
    assertEquals(mayPublish(one, topic), may, topic);
  }
});

Deno.test("subscribing needs a filter that covers, and none that shares a topic and denies", () => {
  const one = principal(["orders.>", "rooms.*"], ["orders.secret.>"]);
  const cases: Record<string, boolean> = {
    "orders.eu": true,
    "orders.*": true,
    "orders.>": false,
    "orders.*.x": false,
    "orders.eu.>": true,
    "rooms.>": false,
    "rooms.*": true,
    ">": false,
    "_inbox.mine.*": true,
    "_inbox.mine.>": true,
    "_inbox.mine": true,
    "_inbox.>": false,
    "_inbox.*.x": false,
    "_inbox": false,
    "_sys.stats": false,
  };
  for (const [filter, may] of Object.entries(cases)) {
    assertEquals(maySubscribe(one, filter), may, filter);
  }
});

Deno.test("whoever was given no right may do nothing, but reply", () => {
  const nobody = new Principal("nobody", {});
  assertEquals(mayPublish(nobody, "a"), false);
  assertEquals(maySubscribe(nobody, "a"), false);
  assertEquals(mayPublish(nobody, "_inbox.x.1"), true);
});

Deno.test("who may subscribe to a topic by a wildcard may do so by its name", () => {
  const token = fc.constantFrom("a", "b", "*");
  const filter = fc.array(token, { minLength: 1, maxLength: 3 }).chain((tokens) =>
    fc.constantFrom(tokens.join("."), [...tokens, ">"].join("."))
  );
  const topic = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 })
    .map((tokens) => tokens.join("."));
  const filters = fc.array(filter, { maxLength: 3 });
  fc.assert(fc.property(filters, filters, filter, topic, (allow, deny, asked, name) => {
    const one = principal(allow, deny);
    const pattern = asked.split(".");
    const matches = name.split(".").length >= pattern.length &&
      pattern.every((part, i) => part === ">" || part === "*" || part === name.split(".")[i]) &&
      (asked.endsWith(">") || name.split(".").length === pattern.length);
    if (matches && maySubscribe(one, asked)) assertEquals(maySubscribe(one, name), true);
  }));
});
