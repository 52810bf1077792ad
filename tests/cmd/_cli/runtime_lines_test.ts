// What is printed is to be caught.
// deno-lint-ignore-file no-console
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { logRuntimeLines } from "../../../cmd/_cli/runtime_lines.ts";
import { Log } from "../../../cmd/_cli/log.ts";
import { createStyle } from "../../../cmd/_cli/terminal_text.ts";
import { FakeHost } from "./fake_host.ts";

Deno.test("what the runtime and packages print is written by the log, and an uncaught error ends all", async () => {
  const host = new FakeHost([]);
  const log = new Log(host.stderr, "verbose", createStyle(false), undefined, "json");
  const warned = Promise.withResolvers<void>();
  const printing = () => [console.warn, ...process.listeners("warning")];
  const before = printing();
  {
    using _lines = logRuntimeLines(log, host);
    console.debug("fine");
    console.log("a line\nand %o", { one: 1 });
    console.warn("careful");
    console.error("wrong:", new TypeError("no number"));
    process.once("warning", () => warned.resolve());
    process.emitWarning("old", "DeprecationWarning");
    await warned.promise;
    for (const reason of [new Error("nobody caught it"), "a text"]) {
      const promise = Promise.reject(reason);
      promise.catch(() => {});
      const event = new PromiseRejectionEvent("unhandledrejection", {
        promise,
        reason,
        cancelable: true,
      });
      assert(!dispatchEvent(event), "the runtime is not to print it too");
    }
  }
  assertEquals(printing(), before);
  const lines = host.errText.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level }) => level), [
    "debug",
    "info",
    "warn",
    "error",
    "warn",
    "error",
    "error",
  ]);
  assertEquals(lines[1].message, "a line\nand { one: 1 }");
  assertStringIncludes(lines[3].message, "wrong: TypeError: no number");
  assertEquals(lines[4].message, "DeprecationWarning: old");
  assertStringIncludes(lines[5].message, "the program failed: Error: nobody caught it\n    at ");
  assertEquals(host.exits, [1, 1]);
});
