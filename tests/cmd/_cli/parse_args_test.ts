import { assertEquals, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

// These hold for the registry's package as well as for its stand-in.

/** Without the types, which the registry's package infers from the options. */
function parse(args: string[], options: Parameters<typeof parseArgs>[1] = {}): unknown {
  return parseArgs(args, options);
}

Deno.test("parseArgs() keeps texts with string, also positionals", () => {
  assertEquals(parse(["--n", "5", "7"], { string: ["n", "_"] }), { n: "5", _: ["7"] });
  assertEquals(parse(["--n", "5", "7", "0x10", "x"]), { n: 5, _: [7, 16, "x"] });
});

Deno.test("parseArgs() reads --k=v, with an equals sign and a line feed in the value", () => {
  assertEquals(parse(["--k=a=b\nc"], { string: ["k"] }), { k: "a=b\nc", _: [] });
});

Deno.test("parseArgs() reads -abc as three flags, of which the last may have a value", () => {
  assertEquals(parse(["-abc", "x"], { string: ["c"] }), { a: true, b: true, c: "x", _: [] });
  assertEquals(parse(["-n5"]), { n: 5, _: [] });
  assertEquals(parse(["-n=5"]), { n: 5, _: [] });
});

Deno.test("parseArgs() gives booleans no value but true and false", () => {
  assertEquals(parse(["--on", "x"], { boolean: ["on"] }), { on: true, _: ["x"] });
  assertEquals(parse(["--on", "false"], { boolean: ["on"] }), { on: false, _: [] });
  assertEquals(parse([], { boolean: ["on"] }), { on: false, _: [] });
  assertEquals(parse(["--a", "x"], { boolean: true }), { a: true, _: ["x"] });
});

Deno.test("parseArgs() collects, and gives an empty array where nothing was", () => {
  const options = { string: ["d"], collect: ["d"] };
  assertEquals(parse(["--d", "a", "--d=b"], options), { d: ["a", "b"], _: [] });
  assertEquals(parse([], options), { d: [], _: [] });
});

Deno.test("parseArgs() negates only what is negatable", () => {
  const options = { boolean: ["color"], negatable: ["color"] };
  assertEquals(parse(["--no-color"], options), { color: false, _: [] });
  assertEquals(parse(["--no-x"]), { "no-x": true, _: [] });
});

Deno.test("parseArgs() sets all names of a flag, and fills in defaults", () => {
  assertEquals(parse(["-l"], { alias: { long: "l" } }), { l: true, long: true, _: [] });
  assertEquals(
    parse([], { alias: { long: "l" }, default: { long: 1 } }),
    { long: 1, l: 1, _: [] },
  );
});

Deno.test("parseArgs() stops at --, and with stopEarly at the first positional", () => {
  assertEquals(parse(["a", "--", "-b"]), { _: ["a", "-b"] });
  assertEquals(parse(["a", "--", "-b"], { "--": true }), { _: ["a"], "--": ["-b"] });
  assertEquals(parse(["a", "--b"], { stopEarly: true }), { _: ["a", "--b"] });
});

Deno.test("parseArgs() takes - for a positional", () => {
  assertEquals(parse(["-"]), { _: ["-"] });
});

Deno.test("parseArgs() asks about what is not declared", () => {
  const asked: unknown[] = [];
  const unknown = (...call: unknown[]) => {
    asked.push(call);
    return false;
  };
  assertEquals(parse(["--x=1", "-y", "z"], { unknown }), { _: [] });
  assertEquals(asked, [["--x=1", "x", "1"], ["-y", "y", "z"]]);
  assertThrows(() =>
    parse(["--x"], {
      unknown: () => {
        throw new TypeError("no");
      },
    }), TypeError);
});
