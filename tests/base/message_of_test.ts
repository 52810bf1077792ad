import { assertEquals } from "@std/assert";
import { messageOf } from "../../lib/base/message_of.ts";

/** What a program may throw, and what is said of it. */
const THROWN: readonly (readonly [unknown, string])[] = [
  [new Error("plain"), "plain"],
  [new Error("refused (os error 111): more"), "refused"],
  ["text", "text"],
  [undefined, "undefined"],
  [Symbol("s"), "Symbol(s)"],
  [Object.assign(new Error(), { message: 5 }), "5"],
  [Object.create(null), "an error that cannot be shown"],
  [{ toString: () => fail() }, "an error that cannot be shown"],
  [Object.defineProperty(new Error(), "message", { get: fail }), "an error that cannot be shown"],
  [new Proxy({}, { get: fail, getPrototypeOf: fail }), "an error that cannot be shown"],
];

function fail(): never {
  throw new Error("read");
}

Deno.test("whatever was thrown has a message", () => {
  for (const [thrown, message] of THROWN) assertEquals(messageOf(thrown), message);
});
