import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../lib/net/mod.ts";
import { type Broker, connectBroker } from "../../lib/pubsub/mod.ts";
import { startBroker } from "../pubsub/support.ts";
import { until } from "../support/deadline.ts";
import { type Finished, InnerProgram, Program, script, socktool } from "../support/programs.ts";

/** Runs `pub ARGS…` with a broker. */
function pub(broker: Broker, args: string[], stdin?: string | Uint8Array): Promise<Finished> {
  return socktool(["pub", ...args], { stdin, env: at(broker) });
}

/** The same as a process. */
async function pubProcess(broker: Broker, args: string[], stdin?: string): Promise<Finished> {
  await using program = new Program(script("cmd/pub.ts", ...args), { stdin, env: at(broker) });
  if (stdin !== undefined) {
    await program.type(stdin);
    await program.endStdin();
  }
  return await program.finished();
}

const at = ({ address }: Broker) => ({ SOCKTOOL_SERVER: formatAddress(address) });

/** A broker, and all that is published on it. */
async function listening() {
  const broker = await startBroker();
  const client = await connectBroker(broker.address);
  const subscription = await client.subscribe(">");
  return {
    broker,
    client,
    next: async () => (await subscription.next()).value!,
    async [Symbol.asyncDispose]() {
      await client.close();
      await broker[Symbol.asyncDispose]();
    },
  };
}

Deno.test("pub publishes a message, stdin whole, lines, and lines of JSON", async () => {
  await using all = await listening();
  assertEquals(await pubProcess(all.broker, ["a.b", "one book"]), { code: 0, out: "", err: "" });
  const first = await all.next();
  assertEquals([first.topic, first.text()], ["a.b", "one book"]);

  await pubProcess(all.broker, ["a", "-", "--content-type", "text/csv"], "x\ny\n");
  const whole = await all.next();
  assertEquals([new TextDecoder().decode(whole.content), whole.header["content-type"]], [
    "x\ny\n",
    "text/csv",
  ]);

  await pubProcess(all.broker, ["a", "--lines"], "1\n2\n3");
  for (const text of ["1", "2", "3"]) assertEquals((await all.next()).text(), text);

  await pubProcess(
    all.broker,
    ["fallback", "--ndjson"],
    '{"topic":"t","text":"ä"}\n\n{"base64":"AAH/"}\n',
  );
  assertEquals((await all.next()).text(), "ä");
  const binary = await all.next();
  assertEquals([binary.topic, binary.content], ["fallback", Uint8Array.of(0, 1, 255)]);
});

Deno.test("pub --confirm prints the receivers, --request the reply, --retain keeps", async () => {
  await using all = await listening();
  assertEquals((await pub(all.broker, ["a", "x", "--confirm"])).out, "1 receiver\n");
  const json = await pub(all.broker, ["a", "x", "--confirm", "--json", "--count", "2"]);
  assertEquals(json.out, '{"type":"confirmed","topic":"a","receivers":1}\n'.repeat(2));
  await all.client.subscribe("ask", { onMessage: (m) => m.respond(`<${m.text()}>`) });
  assertEquals((await pub(all.broker, ["ask", "hi", "--request"])).out, "<hi>\n");
  await pub(all.broker, ["kept", "1", "--retain"]);
  assertEquals(all.broker.stats().retained, 1);
});

Deno.test("pub --request --max-replies prints what comes in time, up to so many", async () => {
  await using all = await listening();
  await using stack = new AsyncDisposableStack();
  for (const name of ["one", "two", "three"]) {
    const client = stack.use(await connectBroker(all.broker.address));
    await client.subscribe("who", { onMessage: (message) => void message.respond(name) });
  }
  const ask = (...args: string[]) => pub(all.broker, ["who", "", "--request", ...args]);
  const some = await ask("--max-replies", "2");
  assertEquals([some.code, some.out.trim().split("\n").length], [0, 2]);
  const every = await ask("--max-replies", "9", "--timeout", "300ms");
  assertEquals(every.out.trim().split("\n").toSorted(), ["one", "three", "two"]);
  await all.client.subscribe("silent");
  const none = await pub(all.broker, [
    "silent",
    "",
    "--request",
    "--max-replies",
    "2",
    "--timeout",
    "100ms",
  ]);
  assertEquals([none.code, none.out], [1, ""]);
  assertStringIncludes(none.err, "silent: no reply came in 100 ms");
});

Deno.test("pub --request --until prints replies up to the one that marks their end", async () => {
  await using all = await listening();
  await all.client.subscribe("list", {
    onMessage: (message) => {
      const replies = ["one", Uint8Array.of(255), "end", ""].slice(0, Number(message.text()));
      for (const reply of replies) void message.respond(reply);
    },
  });
  const ask = (...args: string[]) => pub(all.broker, ["list", ...args, "--request"]);
  const runs: [string[], number, number][] = [
    [["4", "--until-empty"], 0, 3],
    [["4", "--until", "end", "--max-replies", "3"], 0, 2],
    [["2", "--until-empty", "--timeout", "1s"], 1, 2],
  ];
  const outcomes = await Promise.all(runs.map(([args]) => ask(...args)));
  for (const [i, [args, code, replies]] of runs.entries()) {
    const { code: exit, out, err } = outcomes[i]!;
    assertEquals([exit, out.split("\n").length - 1], [code, replies], `${args}: ${err}`);
  }
  assertStringIncludes(outcomes[2]!.err, "list: the reply that ends them did not come in 1 s");
});

Deno.test("pub -H and --reply-to set fields of the header", async () => {
  await using all = await listening();
  await pub(all.broker, ["a", "x", "-H", "who=me", "--header", "n=5", "--reply-to", "r"]);
  const { header } = await all.next();
  assertEquals([header["who"], header["n"], header["reply-to"]], ["me", "5", "r"]);
  // What a line says counts before what the flags say.
  const line = '{"topic":"b","text":"x","header":{"who":"line","retain":true}}\n';
  await pub(all.broker, ["--ndjson", "-H", "who=me", "-H", "n=5"], line);
  const { header: own } = await all.next();
  assertEquals([own["who"], own["n"], own["retain"]], ["line", "5", true]);
});

Deno.test("pub --confirm tells which line failed, and why; --min-receivers fails on fewer", async () => {
  await using all = await listening();
  const lines =
    '{"topic":"a","text":"1"}\n\n{"topic":"_sys.x","text":"2"}\n{"topic":"b","text":"3"}\n';
  const failed = await pub(all.broker, ["--ndjson", "--confirm"], lines);
  assertEquals([failed.code, failed.out], [1, "1 receiver\n1 receiver\n"]);
  assertStringIncludes(failed.err, "line 3, _sys.x: the broker has nothing to say on");
  const json = await pub(all.broker, ["--ndjson", "--confirm", "--json"], lines);
  const told = json.out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    told.filter(({ type }) => type !== "error").map((
      { type, line, topic, receivers, code },
    ) => [type, line, topic, receivers ?? code]),
    [
      ["confirmed", 1, "a", 1],
      ["failed", 3, "_sys.x", "bad-topic"],
      ["confirmed", 4, "b", 1],
    ],
  );
  const few = await pub(all.broker, ["a", "x", "--confirm", "--min-receivers", "2"]);
  assertEquals([few.code, few.out], [1, "1 receiver\n"]);
  assertStringIncludes(few.err, "a: 1 receiver instead of 2 or more");
  await all.client.close();
  assertEquals((await pub(all.broker, ["a", "x", "--confirm"])).code, 0);
  const none = await pub(all.broker, ["a", "x", "--confirm", "--min-receivers", "1"]);
  assertEquals([none.code, none.out], [1, "0 receivers\n"]);
});

Deno.test("pub --request tells which line failed, and why, and goes on with the next", async () => {
  await using all = await listening();
  await all.client.subscribe("ask", { onMessage: (m) => m.respond(`<${m.text()}>`) });
  await all.client.subscribe("silent");
  const lines = [["ask", "1"], ["_sys.x", ""], ["ask", "2"], ["silent", ""], ["ask", "3"]]
    .map(([topic, text]) => JSON.stringify({ topic, text }));
  const input = `${lines.join("\n")}\n`;
  const ask = (...args: string[]) =>
    pub(all.broker, ["--ndjson", "--request", "--timeout", "200ms", ...args], input);
  for (const many of [[], ["--max-replies", "1"]]) {
    const told = await ask(...many);
    assertEquals([told.code, told.out], [1, "<1>\n<2>\n<3>\n"], told.err);
    const errors = told.err.match(/line \d, [a-z._]+: .+/g) ?? [];
    assertEquals(errors.map((each) => each.split(":")[0]), [
      "line 2, _sys.x",
      "line 4, silent",
    ]);
  }
  const json = (await ask("--json")).out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(json.map(({ type, line, code, text }) => [type, line ?? text, code]), [
    ["message", "<1>", undefined],
    ["failed", 2, "bad-topic"],
    ["message", "<2>", undefined],
    ["failed", 4, "timed-out"],
    ["message", "<3>", undefined],
    ["error", undefined, "timed-out"],
  ]);
});

Deno.test("pub --count and --rate send so many, so fast", async () => {
  await using all = await listening();
  const started = performance.now();
  await pub(all.broker, ["a", "x", "--count", "20", "--rate", "100"]);
  assert(performance.now() - started > 180);
  for (let i = 0; i < 20; i++) await all.next();
  const many = await pub(all.broker, ["a", "x", "--count", "20k", "--json"]);
  assertEquals(many.out, '{"type":"summary","sent":20000,"refused":0,"lost":0}\n');
  for (let i = 0; i < 20_000; i++) await all.next();
});

Deno.test("pub says what is wrong", async () => {
  await using all = await listening();
  const cases: [string[], number, string, string?][] = [
    [[], 2, "TOPIC is missing"],
    [["a"], 2, "MESSAGE is missing"],
    [["a", "x", "--lines"], 2, "contradict", ""],
    [["a", "--lines"], 2, "line 2: it has more than 1048576 bytes", `x\n${"y".repeat(1_048_577)}`],
    [["a", "-", "--count", "2"], 2, "--count", ""],
    [["a.*", "x"], 2, "TOPIC a.*: a topic has no wildcard"],
    [["_sys.x", "x"], 1, "nothing to say"],
    [["nobody.at.all", "x", "--request", "--timeout", "300ms"], 1, "nobody.at.all"],
    [["--ndjson"], 2, "line 2: it is not JSON", '{"topic":"a","text":"x"}\noops\n'],
    [["--ndjson"], 2, 'line 1: "topic": a topic has no wildcard', '{"topic":"a.*","text":"x"}\n'],
    [["--ndjson"], 2, 'there must be "text" or "base64"', '{"topic":"a"}\n'],
    [["--ndjson"], 2, '"header" is not an object', '{"topic":"a","text":"x","header":1}\n'],
    [["a", "x", "-H", "n"], 2, "--header: cannot read n as NAME=VALUE"],
    [["a", "x", "-H", "topic=b"], 2, "--header topic: it is an argument"],
    [["a", "x", "--reply-to", "a.*"], 2, "--reply-to a.*: a topic has no wildcard"],
    [["a", "x", "--min-receivers", "1"], 2, "--min-receivers needs --confirm"],
    [["a", "x", "-s", "127.0.0.1:1"], 1, "cannot connect to 127.0.0.1:1"],
  ];
  await Promise.all(cases.map(async ([args, code, text, stdin]) => {
    const finished = await pub(all.broker, args, stdin);
    assertEquals(finished.code, code, `${args}: ${finished.err}`);
    assertStringIncludes(finished.err, text);
  }));
});

Deno.test("pub sends lines and stdin as text where they are, else as the bytes that they are", async () => {
  await using all = await listening();
  const bytes = Uint8Array.of(0x6f, 0x6b, 0x0a, 0xff, 0xfe, 0x0d, 0x0a, 0x0a, 0xc3, 0xa9);
  const next = async () => {
    const { content, header } = await all.next();
    return [[...content], header["content-encoding"]];
  };
  await pub(all.broker, ["t", "--lines"], bytes);
  assertEquals(await next(), [[0x6f, 0x6b], "utf-8"]);
  assertEquals(await next(), [[0xff, 0xfe], "binary"]);
  assertEquals(await next(), [[], "utf-8"]);
  assertEquals(await next(), [[0xc3, 0xa9], "utf-8"]);
  await pub(all.broker, ["t", "-", "--content-type", "application/json"], "{}\n");
  assertEquals(await next(), [[0x7b, 0x7d, 0x0a], "utf-8"]);
  await pub(all.broker, ["t", "-"], bytes);
  assertEquals(await next(), [[...bytes], "binary"]);
});

Deno.test("pub gives up in the time of --timeout, and says how much may not have been sent", async () => {
  // It takes connections, and answers nothing.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = `127.0.0.1:${silent.addr.port}`;
  const { code, err } = await socktool(["pub", "a", "x", "--timeout", "200ms", "-s", server]);
  assertEquals(code, 1);
  assertStringIncludes(err, `${server} accepts connections and does not answer`);

  const cases = [
    [true, ["--json"], "2 messages may not have been sent"],
    [false, ["--json"], "stopped: 2 messages may not have been sent"],
    [true, ["--confirm"], "did not confirm a in 1000 ms"],
    [false, ["--confirm"], "stopped: 2 messages had not been answered"],
  ] as const;
  await Promise.all(cases.map(async ([ends, flags, said]) => {
    const broker = await startBroker();
    await using program = new InnerProgram(
      ["pub", "a", "--lines", ...flags, "--timeout", ends ? "1s" : "20s"],
      { stdin: "", env: at(broker) },
    );
    program.type("one\n");
    await until(() => broker.stats().published === 1, "the first line is there");
    await broker[Symbol.asyncDispose]();
    await program.printed("no connection");
    program.type("two\nthree\n");
    await program.read();
    if (ends) program.endStdin();
    else program.interrupt();
    const finished = await program.finished();
    assertEquals(finished.code, ends ? 1 : 130, finished.err);
    assertStringIncludes(finished.err, said);
    if (flags[0] === "--json") {
      assertStringIncludes(finished.out, '{"type":"disconnected","reason":');
      const [summary, error] = finished.out.trimEnd().split("\n").slice(ends ? -2 : -1);
      assertEquals(summary, '{"type":"summary","sent":1,"refused":0,"lost":2}');
      if (ends) assertEquals(JSON.parse(error!).type, "error");
    }
  }));
});
