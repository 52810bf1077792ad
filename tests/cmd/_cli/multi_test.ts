import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { defineCommand, type Program } from "../../../cmd/_cli/mod.ts";
import { runMulti } from "../../../cmd/_cli/multi.ts";
import { FakeHost } from "./fake_host.ts";

const loaded: string[] = [];

function entry(name: string, summary: string, hidden = false) {
  const load = () => {
    loaded.push(name);
    return Promise.resolve(defineCommand({
      name,
      summary,
      arguments: { words: { type: "string", repeat: true, optional: true, help: "words" } },
      flags: { loud: { type: "boolean", help: "louder" } },
      examples: [],
      run({ args, flags }, { out }) {
        out.line(`${name}: ${args.words.join(" ")}${flags.loud ? "!" : ""}`);
        return args.words.length;
      },
    }));
  };
  return { name, summary, hidden, load };
}

const program: Program = {
  name: "socktool",
  summary: "TCP servers and clients",
  version: "1.2.3",
  commands: [
    entry("echo-server", "echo"),
    entry("echo-client", "talk to an echo server"),
    entry("inner", "for tests", true),
  ],
  topics: [],
  examples: [["socktool echo-server", "listen on 127.0.0.1:5634"]],
};

async function run(...args: string[]) {
  loaded.length = 0;
  const host = new FakeHost(args);
  const code = await runMulti(program, host);
  return { code, out: host.outText, err: host.errText, loaded: [...loaded] };
}

Deno.test("runMulti() runs the command that the first argument names, and loads no other", async () => {
  assertEquals(await run("echo-client", "a", "--loud", "b"), {
    code: 2,
    out: "echo-client: a b!\n",
    err: "",
    loaded: ["echo-client"],
  });
  assertEquals((await run("inner")).out, "inner: \n");
});

Deno.test("runMulti() lists its commands without loading any", async () => {
  for (const args of [["--help"], ["-h"], ["help"], ["help", "--no-color"]]) {
    const { code, out, err, loaded } = await run(...args);
    assertEquals([code, err, loaded], [0, "", []]);
    assertStringIncludes(out, "socktool: TCP servers and clients\n\nExamples:\n");
    assertStringIncludes(out, "  echo-client  talk to an echo server\n");
    assert(!out.includes("inner"));
  }
});

Deno.test("runMulti() shows a command's help in both orders", async () => {
  const { out, loaded } = await run("help", "echo-server");
  assertEquals(loaded, ["echo-server"]);
  assertStringIncludes(out, "socktool echo-server: echo\n");
  assertEquals((await run("echo-server", "--help")).out, out);
  assertEquals((await run("--help", "echo-server")).out, out);
});

Deno.test("runMulti() prints the version", async () => {
  assertEquals(await run("--version"), { code: 0, out: "socktool 1.2.3\n", err: "", loaded: [] });
  assertEquals((await run("-V")).out, "socktool 1.2.3\n");
});

Deno.test("runMulti() names the nearest command", async () => {
  const unknown = "error: unknown command echo-sever (did you mean echo-server?)\n";
  const help = "run 'socktool --help' for help\n";
  assertEquals(await run("echo-sever"), { code: 2, out: "", err: unknown + help, loaded: [] });
  assertEquals((await run("help", "echo-sever")).err, unknown + help);
  assertEquals((await run("elephant")).err, `error: unknown command elephant\n${help}`);
  assertEquals(
    (await run("--verison")).err,
    `error: unknown flag --verison (did you mean --version?)\n${help}`,
  );
  assertEquals((await run()).err, `error: say which command\n${help}`);
  assertEquals((await run()).code, 2);
});

Deno.test("runMulti() reports a command that cannot be loaded", async () => {
  const broken = { name: "b", summary: "", load: () => Promise.reject(new Error("it is gone")) };
  const host = new FakeHost(["b"]);
  assertEquals(await runMulti({ ...program, commands: [broken] }, host), 1);
  assertEquals(host.errText, "error: it is gone\n");
});
