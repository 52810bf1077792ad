import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { splitArgv } from "../../../cmd/_cli/argv.ts";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import type { FlagTable } from "../../../cmd/_cli/mod.ts";

const table = {
  data: { type: "path", repeat: true, short: "d", help: "" },
  "idle-timeout": { type: "duration", help: "" },
  server: { type: "address", short: "s", help: "" },
  json: { type: "boolean", help: "" },
  quiet: { type: "boolean", short: "q", help: "" },
  verbose: { type: "boolean", short: "v", help: "" },
  secret: { type: "boolean", hidden: true, help: "" },
  color: { type: "boolean", default: true, help: "" },
} as const satisfies FlagTable;

function split(...argv: string[]) {
  const { texts, switches, words } = splitArgv(table, argv);
  return { texts: Object.fromEntries(texts), switches: Object.fromEntries(switches), words };
}

function refused(...argv: string[]): string {
  return assertThrows(() => splitArgv(table, argv), UsageError).message;
}

Deno.test("splitArgv() tells flags with a value from switches and words", () => {
  assertEquals(split("a", "--data", "x", "--json", "b", "--data=y"), {
    texts: { data: ["x", "y"] },
    switches: { json: true },
    words: ["a", "b"],
  });
});

Deno.test("splitArgv() reads short flags, joined and with their value attached", () => {
  assertEquals(split("-qv").switches, { quiet: true, verbose: true });
  assertEquals(split("-s", "h:1").texts, { server: ["h:1"] });
  assertEquals(split("-sunix:/x").texts, { server: ["unix:/x"] });
  assertEquals(split("-s=h:1").texts, { server: ["h:1"] });
  assertEquals(split("-qd", "x", "-d5").texts, { data: ["x", "5"] });
});

Deno.test("splitArgv() leaves the words true and false to the arguments", () => {
  assertEquals(split("--json", "true").words, ["true"]);
  assertEquals(split("-qv", "false").words, ["false"]);
  assertEquals(split("--no-color", "true"), {
    texts: {},
    switches: { color: false },
    words: ["true"],
  });
});

Deno.test("splitArgv() takes - as a value and as a word", () => {
  assertEquals(split("--data", "-", "-"), { texts: { data: ["-"] }, switches: {}, words: ["-"] });
});

Deno.test("splitArgv() leaves texts as they are: numbers, equals signs, line feeds", () => {
  assertEquals(split("--data", "a=b\nc", "--data==", "--data=x=", "007", " "), {
    texts: { data: ["a=b\nc", "=", "x="] },
    switches: {},
    words: ["007", " "],
  });
});

Deno.test("splitArgv() finds no flags after --", () => {
  assertEquals(split("--json", "--", "--data", "-q", "--", "--help"), {
    texts: {},
    switches: { json: true },
    words: ["--data", "-q", "--", "--help"],
  });
});

Deno.test("splitArgv() names the nearest flag that exists", () => {
  assertEquals(
    refused("--idle-timout", "5s"),
    "unknown flag --idle-timout (did you mean --idle-timeout?)",
  );
  assertEquals(refused("--idle"), "unknown flag --idle (did you mean --idle-timeout?)");
  assertEquals(refused("--jsno=x"), "unknown flag --jsno (did you mean --json?)");
  assertEquals(refused("--no-colour"), "unknown flag --no-colour (did you mean --no-color?)");
  assertEquals(refused("--no-json"), "unknown flag --no-json (did you mean --json?)");
});

Deno.test("splitArgv() suggests nothing far-fetched and nothing hidden", () => {
  assertEquals(refused("--elephant"), "unknown flag --elephant");
  assertEquals(refused("--secrt"), "unknown flag --secrt");
  assertEquals(refused("-x"), "unknown flag -x");
  assertEquals(refused("-qx"), "unknown flag -x");
  assertEquals(refused("---json"), "unknown flag ---json (did you mean --json?)");
});

Deno.test("splitArgv() refuses flags named after what objects have", () => {
  assertEquals(refused("--__proto__.x=1"), "unknown flag --__proto__.x");
  assertEquals(refused("--constructor"), "unknown flag --constructor");
  assertEquals(refused("--_=x"), "unknown flag --_");
});

Deno.test("splitArgv() refuses missing and empty values", () => {
  assertEquals(refused("--data"), "--data needs a value");
  assertEquals(refused("--data", "--json"), "--data needs a value (--data=--json if that is it)");
  assertEquals(refused("-d", "-x"), "--data needs a value (--data=-x if that is it)");
  assertEquals(refused("--data", "--"), "--data needs a value (--data=-- if that is it)");
  assertEquals(refused("--data="), "--data: the value is empty");
  assertEquals(refused("--data", ""), "--data: the value is empty");
});

Deno.test("splitArgv() refuses a value for a switch", () => {
  assertEquals(refused("--json=yes"), "--json takes no value");
  assertEquals(refused("--json=true"), "--json takes no value");
  assertEquals(refused("--color=always"), "--color takes no value");
});

Deno.test("splitArgv() refuses a second value where one is wanted", () => {
  assertEquals(
    refused("-s", "h:1", "--server=h:2"),
    "--server is given 2 times, but takes one value",
  );
});

Deno.test("splitArgv() gives back all words and values in any order of flags", () => {
  const word = fc.string().filter((text) => text === "-" || !text.startsWith("-"));
  const value = word.filter((text) => text !== "");
  const part = fc.oneof(
    word.map((text) => ({ argv: [text], word: text })),
    value.map((text) => ({ argv: ["--data", text], data: text })),
    fc.string({ minLength: 1 }).map((text) => ({ argv: [`--data=${text}`], data: text })),
    fc.constantFrom("--json", "-q", "-qv", "--no-color").map((flag) => ({ argv: [flag] })),
  );
  fc.assert(
    fc.property(fc.array(part), (parts: { argv: string[]; word?: string; data?: string }[]) => {
      const { words, texts } = split(...parts.flatMap(({ argv }) => argv));
      assertEquals(words, parts.flatMap(({ word }) => word === undefined ? [] : [word]));
      const data = parts.flatMap(({ data }) => data === undefined ? [] : [data]);
      assertEquals(texts["data"] ?? [], data);
    }),
  );
});

Deno.test("splitArgv() gives a result or a UsageError for whatever it gets", () => {
  const piece = fc.constantFrom("-", "--", "=", "data", "json", "q", "no-", "x", " ", "true", "\n");
  const word = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
  fc.assert(fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 6 }), (argv) => {
    try {
      splitArgv(table, argv);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }));
});
