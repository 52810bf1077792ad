import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../lib/net/mod.ts";
import { type Broker, connectBroker } from "../../lib/pubsub/mod.ts";
import { startBroker } from "../pubsub/support.ts";
import { type Finished, Program, script } from "../support/programs.ts";

/** Runs `pub ARGS…` with a broker. */
async function pub(broker: Broker, args: string[], stdin?: string): Promise<Finished> {
  const env = { SOCKTOOL_SERVER: formatAddress(broker.address) };
  await using program = new Program(script("cmd/pub.ts", ...args), { stdin, env });
  if (stdin !== undefined) {
    await program.type(stdin);
    await program.endStdin();
  }
  return await program.finished();
}

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
  assertEquals(await pub(all.broker, ["a.b", "one book"]), { code: 0, out: "", err: "" });
  const first = await all.next();
  assertEquals([first.topic, first.text()], ["a.b", "one book"]);

  await pub(all.broker, ["a", "-", "--content-type", "text/csv"], "x\ny\n");
  const whole = await all.next();
  assertEquals([new TextDecoder().decode(whole.content), whole.header["content-type"]], [
    "x\ny\n",
    "text/csv",
  ]);

  await pub(all.broker, ["a", "--lines"], "1\n2\n3");
  for (const text of ["1", "2", "3"]) assertEquals((await all.next()).text(), text);

  await pub(
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

Deno.test("pub --count and --rate send so many, so fast", async () => {
  await using all = await listening();
  const started = performance.now();
  await pub(all.broker, ["a", "x", "--count", "20", "--rate", "100"]);
  assert(performance.now() - started > 180);
  for (let i = 0; i < 20; i++) await all.next();
  const many = await pub(all.broker, ["a", "x", "--count", "20k", "--json"]);
  assertEquals(many.out, '{"type":"summary","published":20000,"lost":0}\n');
  for (let i = 0; i < 20_000; i++) await all.next();
});

Deno.test("pub says what is wrong", async () => {
  await using all = await listening();
  const cases: [string[], number, string, string?][] = [
    [[], 2, "TOPIC is missing"],
    [["a"], 2, "MESSAGE is missing"],
    [["a", "x", "--lines"], 2, "contradict", ""],
    [["a", "-", "--count", "2"], 2, "--count", ""],
    [["a.*", "x"], 1, "wildcard"],
    [["_sys.x", "x"], 1, "nothing to say"],
    [["nobody.at.all", "x", "--request", "--timeout", "200ms"], 1, "nobody.at.all"],
    [["--ndjson"], 2, "line 2: it is not JSON", '{"topic":"a","text":"x"}\noops\n'],
    [["--ndjson"], 2, 'either "text" or "base64"', '{"topic":"a"}\n'],
    [["a", "x", "-s", "127.0.0.1:1"], 1, "cannot connect to 127.0.0.1:1"],
  ];
  await Promise.all(cases.map(async ([args, code, text, stdin]) => {
    const finished = await pub(all.broker, args, stdin);
    assertEquals(finished.code, code, `${args}: ${finished.err}`);
    assertStringIncludes(finished.err, text);
  }));
});
