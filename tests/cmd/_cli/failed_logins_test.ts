import { assertEquals } from "@std/assert";
import { FailedLogins } from "../../../cmd/_cli/failed_logins.ts";
import { pause, until } from "../../support/deadline.ts";

/** Failed logins, and what is told of them. */
function telling() {
  const told: string[] = [];
  return Object.assign(new FailedLogins({ warn: (text) => told.push(text) }, 10), { told });
}

Deno.test("failed logins are told at once, then counted, by address", async () => {
  using logins = telling();
  const { told } = logins;
  for (let i = 0; i < 100; i++) logins.add({ user: "ali", password: "x" }, "10.0.0.1");
  logins.add({ token: "x" }, "10.0.0.2");
  assertEquals(told, [
    'a login from 10.0.0.1 as "ali" failed',
    "a login from 10.0.0.2 by a token failed",
  ]);
  await until(() => told.length > 2);
  assertEquals(told[2], "99 more logins from 10.0.0.1 failed");
  logins.add({ user: "ali", password: "x" }, "10.0.0.1");
  await until(() => told.length > 3);
  assertEquals(told[3], "1 more login from 10.0.0.1 failed");
  // Longer than the two intervals after which an address is forgotten.
  await pause(50);
  logins.add({ user: "eve" }, "10.0.0.1");
  assertEquals(told.slice(4), ['a login from 10.0.0.1 as "eve" failed']);
});

Deno.test("names that clients choose stay on their line, and short", () => {
  using logins = telling();
  const { told } = logins;
  logins.add({ user: "a\nwarning: b" }, "10.0.0.1");
  logins.add({ user: "x".repeat(10_000) }, "10.0.0.2");
  assertEquals(told, [
    'a login from 10.0.0.1 as "a\\nwarning: b" failed',
    `a login from 10.0.0.2 as "${"x".repeat(64)}…" failed`,
  ]);
});

Deno.test("who sends no credentials has not failed to log in", () => {
  using logins = telling();
  const { told } = logins;
  logins.add({}, "10.0.0.1");
  assertEquals(told, []);
});

Deno.test("very many addresses share what is told", async () => {
  using logins = telling();
  const { told } = logins;
  for (let i = 0; i < 3_000; i++) logins.add({ user: "u" }, `10.0.${i >> 8}.${i & 255}`);
  assertEquals(told.length, 1_001);
  assertEquals(told.at(-1), 'a login from other addresses as "u" failed');
  await until(() => told.length > 1_001);
  assertEquals(told.at(-1), "1999 more logins from other addresses failed");
});
