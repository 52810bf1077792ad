/** The load tool against services that are no echo servers, written in Python. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type LoadOptions, runLoad } from "../../lib/load/mod.ts";
import { deadline } from "../support/deadline.ts";
import { socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled } from "../support/tools.ts";

const SERVICES = `${import.meta.dirname}/services.py`;

const ignore = !isInstalled("python3", "services that are no echo servers");

/** Starts a service; it ends when its stdin is closed. */
async function service(kind: string): Promise<AsyncDisposable & { readonly port: number }> {
  const child = new Deno.Command("python3", {
    args: [SERVICES, kind],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value } = await deadline(reader.read(), "the service's port");
    text += new TextDecoder().decode(value);
  }
  return {
    port: Number(text),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await deadline(child.status, "the end of the service");
    },
  };
}

/** Runs a load on a service with 3 connections, in a closed and in an open loop. */
async function loads(kind: string, options: Omit<LoadOptions, "address">) {
  await using server = await service(kind);
  const plan = { address: `127.0.0.1:${server.port}`, connections: 3, count: 20, ...options };
  const results = [];
  for (const ratePerSecond of [undefined, 2_000]) {
    results.push((await deadline(runLoad({ ...plan, ratePerSecond }), "the load")).summary);
  }
  return results;
}

const CASES: Readonly<
  Record<string, readonly [LoadOptions["answer"], string | Uint8Array, number]>
> = {
  line: [{ until: "\n" }, "hello\n", 0],
  prefix: [{ length: "u32be" }, Uint8Array.of(0, 0, 0, 2, 65, 66), 16],
  self: [{ length: "u16le", inclusive: true }, Uint8Array.of(5, 0, 1, 2, 3), 7],
  fixed: [{ bytes: 12 }, "four", 12],
  close: ["close", "who?\n", 14],
  sink: ["none", "abc", 3],
  daytime: [{ until: "xyz\n" }, "abcabcxxyxyz\n", 13],
};

for (const [kind, [answer, message, bytes]] of Object.entries(CASES)) {
  Deno.test({
    name: `runLoad() reads the answers of a service of the kind ${kind}`,
    ignore,
    async fn() {
      for (const summary of await loads(kind, { answer, messages: [message] })) {
        assertEquals([summary.due, summary.answered, summary.errors], [60, 60, 0], summary.mode);
        if (bytes > 0) assertEquals(summary.bytes, 60 * bytes);
        assert(summary.latency_us.p50! > 0);
      }
    },
  });
}

Deno.test({
  name: "runLoad() counts answers that are not as expected, by what they are",
  ignore,
  async fn() {
    const options = { answer: { until: "\n" }, messages: ["line {seq}\n"], connections: 2 };
    for (const expect of ["OK line", /^OK \w+ \d+\n$/, "^OK line [0-9]+"]) {
      const [closed, open] = await loads("line", { ...options, expect });
      for (const summary of [closed!, open!]) {
        assertEquals([summary.due, summary.answered], [40, 40]);
        // Every third answer of a connection is wrong.
        assertEquals(summary.errors_by_kind, { unexpected: 12 });
        assertEquals(summary.wrong_answers, { '"ERR broken\\n"': 12 });
      }
    }
  },
});

const client = (...args: string[]) => socktool(["multiconn-client", ...args]);

Deno.test({
  name: "multiconn-client says how to speak to what is no echo server",
  ignore,
  async fn() {
    await using line = await service("line");
    const wrong = await client(`:${line.port}`, "1", "--count", "1", "--message", "hi\n");
    assertEquals(wrong.code, 1);
    assertMatch(wrong.err, /the echo differs at byte 0.*: is it an echo server\?.*--answer until:/);
    await using mute = await service("mute");
    const silent = await client(`:${mute.port}`, "1", "--count", "1", "--timeout", "100ms");
    assertEquals(silent.code, 1);
    assertMatch(silent.err, /no byte came for 100 ms: is it an echo server\?.*--answer/);
    const other = await client(
      ...[`:${mute.port}`, "1", "--count", "1", "--timeout", "100ms", "--answer", "bytes:3"],
    );
    assertStringIncludes(other.err, "do its answers end as --answer bytes:3 says?");
  },
});

Deno.test({
  name: "multiconn-client sends texts, files and hexadecimal bytes, and reads answers",
  ignore,
  async fn() {
    using scratch = new Scratch();
    await using line = await service("line");
    const file = scratch.at("message");
    await Deno.writeTextFile(file, "from a file\n");
    const { code, out, err } = await client(
      ...[`:${line.port}`, "2", "--count", "2", "--answer", "until:\\n", "--expect", "OK"],
      ...["--message-file", file, "--message-hex", "68 69 0a", "--percentiles", "50,95"],
    );
    assertEquals(code, 0, err);
    assertMatch(out, /^4 messages/);
    assertMatch(out, /^ +min +mean +p50 +p95 +max$/m);
    assertMatch(out, /^due 4, sent 4, answered 4, unanswered 0$/m);
  },
});
