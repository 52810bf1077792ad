import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { helpTopics } from "../../cmd/help_topics.ts";
import { program } from "../../cmd/program.ts";
import { environmentOf } from "../../scripts/pack/permissions.ts";
import { runMulti } from "../../cmd/_cli/multi.ts";
import { Program, script, socktool } from "../support/programs.ts";
import { FakeHost } from "./_cli/fake_host.ts";

/** Runs command lines at the same time; asserts their exit codes. */
async function run(lines: readonly (readonly string[])[], code: number) {
  const finished = await Promise.all(lines.map((args) => socktool(args)));
  for (const [i, { code: actual, out, err }] of finished.entries()) {
    assertEquals(actual, code, `${lines[i]!.join(" ")}: ${out}${err}`);
  }
  return finished;
}

Deno.test("the program tells its version", async () => {
  for (const { out, err } of await run([["--version"], ["-V"]], 0)) {
    assertEquals([out, err], [`socktool ${config.version}\n`, ""]);
  }
});

Deno.test("the program's help names every command", async () => {
  for (const { out, err } of await run([["--help"], ["-h"], ["help"]], 0)) {
    for (const { name, summary } of program.commands) {
      assertStringIncludes(out, name);
      assertStringIncludes(out.replaceAll(/\s+/g, " "), summary);
    }
    assertEquals(err, "");
    assert(out.split("\n").every((line) => line.length <= 100), "a line is too long");
  }
});

Deno.test("the summaries of the program's table are those of its commands", async () => {
  for (const { name, summary, load } of program.commands) {
    const command = await load();
    assertEquals([command.name, command.summary], [name, summary]);
  }
});

Deno.test("a command's help has examples before flags, and needs no server", async () => {
  const lines = [
    ["app-client", "--help"],
    ["app-client", "-h"],
    ["help", "app-client"],
    ["app-client", "127.0.0.1", "1", "search", "x", "--help"],
    ["app-client", "--nonsense", "--help"],
  ];
  const finished = await run(lines, 0);
  for (const { out, err } of finished) assertEquals([out, err], [finished[0]!.out, ""]);
  const { out } = finished[0]!;
  assertMatch(out, /send a request to an app server/);
  assert(out.indexOf("search morpheus") < out.indexOf("--pipeline"), out);
  const server = (await run([["app-server", "--help"]], 0))[0]!.out;
  const flags =
    "data index watch writable key-field title-field text-field workers max-connections " +
    "idle-timeout first-byte-timeout frame-timeout max-content max-pipelined max-pending " +
    "drain-timeout tls-cert tls-key json quiet verbose no-color debug help";
  for (const flag of flags.split(" ")) assertStringIncludes(server, `--${flag}`);
});

Deno.test("help tells of what holds for all commands", async () => {
  const names = program.topics.map(({ name }) => name);
  assertEquals(Object.keys(helpTopics), names);
  const [list, unknown, ...texts] = await Promise.all(
    ["topics", "unit", ...names].map(async (name) => {
      const host = new FakeHost(["help", name]);
      return { code: await runMulti(program, host), out: host.outText, err: host.errText };
    }),
  );
  for (const { name, summary } of program.topics) {
    assertStringIncludes(list!.out, `${name} `, summary);
  }
  assertEquals([unknown!.code, unknown!.out], [2, ""]);
  assertStringIncludes(unknown!.err, "(did you mean units?)");
  for (const { code, out, err } of texts) {
    assertEquals([code, err], [0, ""]);
    assert(out.split("\n").every((line) => line.length <= 80), out);
  }
  const environment = texts.at(-1)!.out;
  for (const name of await environmentOf(program)) assertStringIncludes(environment, name);
});

Deno.test("wrong usage exits with 2 and names what is meant", async () => {
  const wrong: [string[], string][] = [
    [[], "say which command"],
    [["app-sever"], "unknown command app-sever (did you mean app-server?)"],
    [["publish"], "unknown command publish (did you mean pub?)"],
    [["version"], "unknown command version (did you mean --version?)"],
    [["echo"], "unknown command echo (did you mean echo-server or echo-client?)"],
    [["server"], "unknown command server (did you mean echo-server, app-server or broker?)"],
    [["--verison"], "--verison"],
    [["app-client", ":1", "search", "x", "--tsl"], "unknown flag --tsl (did you mean --tls?)"],
    [["app-client", ":1", "search", "x", "--repaet", "2"], "(did you mean --repeat?)"],
    [["app-client", ":1", "search"], "VALUE is missing"],
    [["app-client"], "ACTION is missing"],
    [["app-client", ":1", "search", "a", "b"], "too many arguments"],
    [
      ["app-client", "127.0.0.1", "70000", "search", "x"],
      `"70000" is not a number from 0 to 65535`,
    ],
    [["app-client", ":1", "", "x"], "ACTION is empty"],
    [["app-client", ":1", "search", "x", "--field", "a"], "write NAME=VALUE"],
    [["app-client", ":1", "dance", "x", "--limit", "3"], "--limit needs a JSON request"],
    [["app-client", ":1", "search", "x", "--as", "jason"], "(did you mean json?)"],
    [["app-client", ":1", "search", "x", "--pipeline", "0"], "--pipeline: 0 is too small"],
    [["app-client", ":1", "search", "x", "--repeat", "1.5"], "--repeat"],
    [["app-client", ":1", "search", "x", "--timeout", "5 apples"], "--timeout"],
    [["app-client", ":1", "search", "x", "--tls-ca", "x.pem"], "--tls-ca needs --tls"],
    [["app-server", "127.0.0.1:65536"], `the port "65536" is not a number from 0 to 65535`],
    [["app-server", "127.0.0.1", "-1"], "-1"],
    [["app-server", ":0", "--wrtable"], "(did you mean --writable?)"],
    [["app-server", ":0", "--watch"], "--watch needs --data"],
    [["app-server", ":0", "--tls-cert", "x.pem"], "--tls-cert needs --tls-key"],
    [["app-server", ":0", "--max-content", "much"], "--max-content"],
    [["app-server", ":0", "--idle-timeout", "-5s"], "--idle-timeout"],
    [["app-server", ":0", "--workers", "0"], "--workers: 0 is too small"],
    [["app-server", ":0", "-q", "-v"], "--verbose"],
  ];
  for (const [args, message] of wrong) {
    const host = new FakeHost(args);
    assertEquals([await runMulti(program, host), host.outText], [2, ""], args.join(" "));
    assertStringIncludes(host.errText, message);
    assertMatch(host.errText, /^error: .+\nrun 'socktool .*--help' for help\n$/);
  }
  // As a process it is the same.
  const [process] = await run([["app-sever"]], 2);
  assertStringIncludes(process!.err, "(did you mean app-server?)");
});

Deno.test("a command's file is the same program by itself", async () => {
  for (const name of ["app_client", "app_server"]) {
    await using alone = new Program(script(`cmd/${name}.ts`, "--help"));
    const [help] = await run([[name.replace("_", "-"), "--help"]], 0);
    assertEquals(await alone.finished(), help!);
  }
});

Deno.test("a stack trace is shown on demand alone", async () => {
  const line = ["app-client", "unix:/no/such/socket", "search", "x"];
  const [plain, debug] = await run([line, [...line, "--debug"]], 1);
  assertEquals(plain!.err.trimEnd().split("\n").length, 1, plain!.err);
  assertMatch(debug!.err, /\n {4}at /);
});
