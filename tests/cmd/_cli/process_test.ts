import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const FIXTURE = `${import.meta.dirname}/fixtures/demo.ts`;
const windows = Deno.build.os === "windows";
const DEADLINE_MS = 30_000;

function demo(args: string[], env: Record<string, string> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", FIXTURE, ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
}

async function run(args: string[], env?: Record<string, string>) {
  const { code, stdout, stderr } = await demo(args, env).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Runs a line of shell in which `$DEMO` is the fixture. */
async function shell(line: string) {
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    env: { DENO: Deno.execPath(), FIXTURE },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).output();
  const decoder = new TextDecoder();
  return { out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Reads a stream until a text has come. */
async function readUntil(stream: ReadableStream<Uint8Array>, text: string): Promise<string> {
  let all = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream(), { preventCancel: true })) {
    all += chunk;
    if (all.includes(text)) break;
  }
  return all;
}

Deno.test("a process prints data to stdout alone", async () => {
  const { code, out, err } = await run(["lines", "-n", "2", "--json"]);
  assertEquals([code, out, err], [0, '{"i":0}\n{"i":1}\n', ""]);
});

Deno.test("a process exits 2 on wrong usage and 1 on failure", async () => {
  const usage = await run(["lines", "--cuont", "2"]);
  assertEquals([usage.code, usage.out], [2, ""]);
  assertStringIncludes(usage.err, "unknown flag --cuont (did you mean --count?)");
  const failure = await run(["fail"]);
  assertEquals([failure.code, failure.out], [1, ""]);
  assertEquals(failure.err, "error: cannot read /no/such/file: no such file or folder\n");
});

Deno.test("a process writes all of a great many lines before it ends", async () => {
  const { code, out } = await run(["lines", "-n", "200k"]);
  assertEquals(code, 0);
  assert(out.startsWith("line 0\nline 1\n"));
  assert(out.endsWith("line 199998\nline 199999\n"));
  assertEquals(out.split("\n").length, 200_001);
});

Deno.test({
  name: "a process whose reader has gone ends quietly with 0",
  ignore: windows,
  fn: async () => {
    const line = '{ "$DENO" run -A "$FIXTURE" lines -n 1G; echo "exit $?" >&2; } | head -n 1';
    assertEquals(await shell(line), { out: "line 0\n", err: "exit 0\n" });
  },
});

Deno.test({
  name: "a process whose stdout is full fails with the reason",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const line = '"$DENO" run -A "$FIXTURE" lines >/dev/full; echo "exit $?" >&2';
    const { err } = await shell(line);
    assertEquals(err, "error: cannot write to stdout: no space is left on the device\nexit 1\n");
  },
});

Deno.test({
  name: "the first SIGINT lets a process finish, and it says so",
  ignore: windows,
  fn: async () => {
    const child = demo(["wait"]).spawn();
    const [waiting, rest] = child.stderr.tee();
    await readUntil(waiting, "waiting\n");
    child.kill("SIGINT");
    const err = await new Response(rest).text();
    await child.stdout.cancel();
    assertEquals((await child.status).code, 130);
    assertEquals(err, "waiting\nstopping (once more ends at once)\n");
  },
});

Deno.test({
  name: "the second SIGINT ends a process that does not heed the first",
  ignore: windows,
  fn: async () => {
    const child = demo(["stubborn"]).spawn();
    let err = "";
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    const until = async (text: string) => {
      while (!err.includes(text)) {
        const { value, done } = await reader.read();
        if (done) break;
        err += value;
      }
    };
    await until("waiting\n");
    child.kill("SIGTERM");
    await until("once more ends at once");
    child.kill("SIGINT");
    await until("nothing more comes");
    await child.stdout.cancel();
    assertEquals((await child.status).code, 130);
  },
});

Deno.test("a process writes no escape sequence where stdout is no terminal", async () => {
  for (const env of [{}, { NO_COLOR: "1" }]) {
    const { code, out } = await run(["--help"], env);
    assertEquals(code, 0);
    assert(!out.includes("\x1b"));
  }
});

Deno.test({
  name: "a process colours a terminal, unless NO_COLOR is set",
  // `script` runs a command on a terminal of its own; only that of util-linux takes these flags.
  ignore: !(await hasScript()),
  fn: async () => {
    const line = (env: string) =>
      `${env} script -qec '"$DENO" run -A "$FIXTURE" --help' /dev/null </dev/null`;
    assertStringIncludes((await shell(line("NO_COLOR="))).out, "\x1b[1mExamples:");
    assert(!(await shell(line("NO_COLOR=1"))).out.includes("\x1b[1m"));
  },
});

async function hasScript(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("script", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}
