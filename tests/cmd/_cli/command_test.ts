import { assertEquals, assertThrows } from "@std/assert";
import {
  type AnyCommand,
  clientTlsFlags,
  defineCommand,
  outputFlags,
  serverTlsFlags,
  UsageError,
} from "../../../cmd/_cli/mod.ts";
import { parseInput } from "../../../cmd/_cli/parse.ts";
import { program } from "../../../cmd/program.ts";
import type { Address } from "../../../lib/net/address.ts";
import { checkCommand } from "./check_command.ts";

const base = { name: "x", summary: "test", examples: [], run() {} } as const;

const full = defineCommand({
  ...base,
  arguments: { address: { type: "address", default: "127.0.0.1:5634", help: "" } },
  flags: {
    data: { type: "path", repeat: true, help: "" },
    workers: { type: "integer", min: 1, max: 64, help: "" },
    ratio: { type: "number", min: 0, help: "" },
    count: { type: "count", default: "1k", help: "" },
    rate: { type: "rate", conflicts: ["count"], help: "" },
    size: { type: "size", min: 1, max: 1024, help: "" },
    "idle-timeout": { type: "duration", default: "10m", help: "" },
    slow: { type: "choice", choices: ["drop-new", "drop-old", "block"], help: "" },
    server: { type: "address", port: 5635, env: "SOCKTOOL_SERVER", help: "" },
    ...outputFlags,
    ...serverTlsFlags,
    ...clientTlsFlags,
  },
});

function parse(command: AnyCommand, line: string, env: Record<string, string> = {}) {
  return parseInput(command, line.split(" ").filter(Boolean), (name) => env[name]);
}

function refused(line: string, env: Record<string, string> = {}): string {
  return assertThrows(() => parse(full, line, env), UsageError).message;
}

Deno.test("run gets values of the types that the table says", () => {
  defineCommand({
    ...base,
    arguments: {
      address: { type: "address", default: ":1", help: "" },
      count: { type: "count", help: "" },
      text: { type: "string", optional: true, help: "" },
      rest: { type: "path", repeat: true, optional: true, help: "" },
    },
    flags: {
      time: { type: "duration", default: "1s", help: "" },
      size: { type: "size", help: "" },
      on: { type: "boolean", help: "" },
      mode: { type: "choice", choices: ["a", "b"], default: "a", help: "" },
      file: { type: "path", repeat: true, help: "" },
    },
    run({ flags, args, given }, { signal }) {
      // What is checked here is checked by the compiler.
      const values: [number, number | undefined, boolean, "a" | "b", readonly string[]] = [
        flags.time,
        flags.size,
        flags.on,
        flags.mode,
        flags.file,
      ];
      const common: [boolean, boolean] = [flags.debug, flags.color];
      const words: [Address, number, string | undefined, readonly string[]] = [
        args.address,
        args.count,
        args.text,
        args.rest,
      ];
      // @ts-expect-error: no such flag
      void flags.missing;
      // @ts-expect-error: it may be absent
      const size: number = flags.size;
      return values.length + common.length + words.length + size + given.size +
        (signal.aborted ? 1 : 0);
    },
  });
});

Deno.test("flags that are not given have their defaults", () => {
  const { flags, given } = parse(full, "");
  assertEquals(flags["data"], []);
  assertEquals(flags["count"], 1000);
  assertEquals(flags["idle-timeout"], 600_000);
  assertEquals(flags["rate"], undefined);
  assertEquals(flags["json"], false);
  assertEquals(flags["color"], true);
  assertEquals(given.size, 0);
});

Deno.test("flags that are given are read by their type", () => {
  const { flags, given, args } = parse(
    full,
    "--data a --data b --workers 4 --ratio 0.5 --rate 10k/s --size 512 --idle-timeout 1h30m " +
      "--slow block --server example.org --no-color -v ::1 80",
  );
  assertEquals(flags["data"], ["a", "b"]);
  assertEquals(flags["workers"], 4);
  assertEquals(flags["ratio"], 0.5);
  assertEquals(flags["rate"], 10_000);
  assertEquals(flags["size"], 512);
  assertEquals(flags["idle-timeout"], 5_400_000);
  assertEquals(flags["slow"], "block");
  assertEquals(flags["server"], { transport: "tcp", hostname: "example.org", port: 5635 });
  assertEquals([flags["color"], flags["verbose"]], [false, true]);
  assertEquals(args["address"], { transport: "tcp", hostname: "::1", port: 80 });
  assertEquals(given.has("color") && given.has("data") && !given.has("count"), true);
});

Deno.test("a value that cannot be read is named with its flag, and how to write it", () => {
  assertEquals(
    refused("--idle-timeout=5\u00a0parsecs"),
    '--idle-timeout: cannot read "5\u00a0parsecs" as a duration (write 500ms, 30s, 5m or 1h)',
  );
  assertEquals(
    refused("--size 1k"),
    '--size: cannot read "1k" as a size (write 512, 64KiB or 1MB)',
  );
  assertEquals(refused("--workers two"), '--workers: cannot read "two" as a whole number');
  assertEquals(refused("--workers 1.5"), '--workers: cannot read "1.5" as a whole number');
  assertEquals(refused("--ratio 1e999"), '--ratio: cannot read "1e999" as a number');
  assertEquals(
    refused("--rate fast"),
    '--rate: cannot read "fast" as a rate (write 250, 10k, 6/m or 90/h)',
  );
  assertEquals(
    refused("--slow drop-odl"),
    '--slow: "drop-odl" is none of drop-new, drop-old, block (did you mean drop-old?)',
  );
  assertEquals(
    refused("--server h:x"),
    '--server: cannot read the address "h:x": the port "x" is not a number from 0 to 65535',
  );
});

Deno.test("a value out of bounds is refused with the bound in its unit", () => {
  assertEquals(refused("--workers 0"), "--workers: 0 is too small (at least 1)");
  assertEquals(refused("--workers 65"), "--workers: 65 is too large (at most 64)");
  assertEquals(refused("--size 2KiB"), "--size: 2KiB is too large (at most 1 KiB)");
  assertEquals(refused("--size 0"), "--size: 0 is too small (at least 1 B)");
  assertEquals(refused("--rate 0"), "--rate: 0 is too small (more than 0)");
});

Deno.test("flags that contradict or lack each other are refused", () => {
  assertEquals(refused("--rate 5 --count 3"), "--rate and --count contradict each other");
  assertEquals(refused("-q -v"), "--quiet and --verbose contradict each other");
  assertEquals(refused("--tls-cert c"), "--tls-cert needs --tls-key beside it");
  assertEquals(refused("--tls-ca c"), "--tls-ca needs --tls beside it");
  assertEquals(parse(full, "--tls --tls-ca c").flags["tls-ca"], "c");
});

Deno.test("an environment variable stands in for its flag, and is named in errors", () => {
  const env = { SOCKTOOL_SERVER: "h:1" };
  assertEquals(parse(full, "", env).flags["server"], {
    transport: "tcp",
    hostname: "h",
    port: 1,
  });
  assertEquals((parse(full, "--server g:2", env).flags["server"] as Address).transport, "tcp");
  assertEquals(parse(full, "", { SOCKTOOL_SERVER: "" }).flags["server"], undefined);
  assertEquals(
    refused("", { SOCKTOOL_SERVER: "h:x" }),
    "SOCKTOOL_SERVER in the environment: cannot read the address " +
      '"h:x": the port "x" is not a number from 0 to 65535',
  );
});

Deno.test("what the command line says counts more than what contradicts it in the environment", () => {
  const command = defineCommand({
    ...base,
    flags: {
      user: { type: "string", env: "USER_NAME", help: "" },
      token: { type: "string", env: "TOKEN", conflicts: ["user"], help: "" },
    },
  });
  const env = { USER_NAME: "alice", TOKEN: "t" };
  const flags = (line: string) => {
    const { user, token } = parse(command, line, env).flags;
    return [user, token];
  };
  assertEquals(flags(""), ["alice", "t"]);
  assertEquals(flags("--user bob"), ["bob", undefined]);
  assertEquals(flags("--token x"), [undefined, "x"]);
});

Deno.test("no command's table contradicts itself", async () => {
  for (const { load } of program.commands) checkCommand(await load());
});

Deno.test("checkCommand() finds what contradicts itself in a table", () => {
  const refuses = (more: object, problem: string) =>
    assertThrows(() => checkCommand(defineCommand({ ...base, ...more })), TypeError, problem);
  const flag = { type: "boolean", help: "" };
  refuses({ flags: { "no-x": flag } }, "cannot be parsed");
  refuses({ flags: { "a.b": flag } }, "cannot be parsed");
  refuses({ flags: { Data: flag } }, "cannot be parsed");
  refuses({ flags: { a: { ...flag, short: "h" } } }, "short form of another");
  refuses({ flags: { a: { ...flag, short: "ab" } } }, "not one letter");
  refuses({ flags: { a: { ...flag, requires: ["b"] } } }, "does not exist");
  const text = { type: "string", help: "" };
  refuses({ arguments: { a: { ...text, repeat: true }, b: text } }, "not last");
  refuses({ arguments: { a: text, b: { type: "address", help: "" } } }, "the first is none");
});
