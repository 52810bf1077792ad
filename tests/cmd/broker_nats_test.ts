/** `broker --nats` as a process, with a packed program's permissions. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { permissionFlags } from "../../scripts/pack/permissions.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { deadline } from "../support/deadline.ts";
import { NatsServer } from "../support/nats.ts";
import { lacksSignals } from "../support/skip.ts";
import { Program, ROOT, ServerProgram, socktool } from "../support/programs.ts";

const permissions = await permissionFlags(program, targetOf(Deno.build.target));

function args(...rest: string[]): string[] {
  return ["run", ...permissions, `${ROOT}cmd/socktool.ts`, "broker", ":0", ...rest];
}

Deno.test("broker --nats shares topics, waits for NATS, and keeps passwords to itself", async () => {
  const config = 'authorization { user: gateway, password: "s3cret/pw" }\n' +
    'jetstream { store_dir: "$DIR/js" }\n';
  await using server = await NatsServer.start("broker --nats as a process", { config });
  if (server === undefined) return;
  const url = `nats://gateway:s3cret%2Fpw@${server.servers}`;
  await server.kill();
  const stream = ["--stream", "orders=orders.>"];
  await using waiting = new Program(args("--http", ":0", "--nats-wait", "30s", ...stream), {
    env: { SOCKTOOL_NATS: url },
  });
  await waiting.printed("waiting for it");
  await server.restart();
  await waiting.printed("listening on ");
  await using other = await ServerProgram.start(args("--nats", url, ...stream, "--stream", "u=u"));
  const [, address] = /^listening on (\S+)$/m.exec(waiting.err)!;
  const [, pages] = /pages on (http:\S+)/.exec(waiting.err)!;
  await using left = await connectBroker(address!);
  await using right = await connectBroker(formatAddress(other.address));
  const subscription = await left.subscribe("t");
  await right.publish("t", "over NATS");
  assertEquals((await deadline(subscription.next())).value?.text(), "over NATS");
  const ready = async () => {
    const response = await fetch(`${pages}readyz`);
    return [response.status, (await response.json())["status"]];
  };
  assertEquals(await ready(), [200, "ok"]);
  // The second broker has made a stream that the first one serves too.
  const stored = await socktool(["pub", "u", "x", "--stored", "-s", address!]);
  assertEquals([stored.code, stored.out], [0, "u 1\n"], stored.err);
  const confirm = ["pub", "t", "x", "--confirm", "-s", formatAddress(other.address)];
  const confirmed = await socktool(confirm);
  assertEquals(confirmed.out, "0 receivers known to this broker, which is one of several\n");
  const json = await socktool([...confirm, "--json"]);
  assertEquals(json.out, '{"type":"confirmed","topic":"t","receivers":0,"exact":false}\n');
  for (const expected of ["x", "x"]) {
    assertEquals((await deadline(subscription.next())).value?.text(), expected);
  }
  const few = await socktool([...confirm, "--min-receivers", "1"]);
  assertEquals(few.code, 1);
  assertStringIncludes(few.err, "one of several");
  assertEquals((await deadline(subscription.next())).value?.text(), "x");
  for (
    const [asked, says] of [["orders=x.>", "keeps orders.>, not x.>"], ["x=orders.eu", "orders"]]
  ) {
    const refused = await new Program(args("--nats", url, "--stream", asked!)).finished();
    assertEquals(refused.code, 2, refused.err);
    assertStringIncludes(refused.err, says!);
  }
  await server.kill();
  await waiting.printed("lost the connection to NATS");
  assertEquals(await ready(), [503, "degraded"]);
  await left.publish("t", "its own clients are served");
  assertEquals((await deadline(subscription.next())).value?.text(), "its own clients are served");
  if (lacksSignals()) return;
  waiting.kill("SIGTERM");
  other.kill("SIGTERM");
  for (const { code, out, err } of [await waiting.finished(), await other.finished()]) {
    assertEquals(code, 0, err);
    assert(!/s3cret|gateway/.test(out + err), out + err);
  }
});

Deno.test("broker --nats says what is wrong with its server, its credentials, its flags", async () => {
  await using server = await NatsServer.start("broker --nats with mistakes", {
    config: 'authorization { token: "right" }\n',
  });
  if (server === undefined) return;
  const runs: [string[], number, RegExp][] = [
    [["--nats", "nats://user:pw@127.0.0.1:1"], 1, /cannot connect to NATS at 127\.0\.0\.1:1: /i],
    [["--nats", `wrong@${server.servers}`, "--json"], 1, /does not accept the credentials/],
    [["--nats", "http://user:pw@h"], 2, /"http:\/\/h" as a NATS server: its scheme/],
    [["--nats", "nats://user:p w@h/x y"], 2, /as a NATS server/],
    [["--nats", "h", "--store", "x"], 2, /--nats.*--store|--store.*--nats/],
    [["--nats-wait", "1s"], 2, /--nats/],
    [["--nats", "h", "--nats-creds", "/no/such/file"], 1, /\/no\/such\/file/],
  ];
  const failures = runs.map(async ([flags, expected, says], i) => {
    // One of them with a packed program's permissions.
    const { code, out, err } = i === 0
      ? await new Program(args(...flags)).finished()
      : await socktool(["broker", ":0", ...flags]);
    assertEquals(code, expected, err);
    assert(says.test(out + err), out + err);
    assert(!/user:|pw|wrong/.test(out + err), out + err);
  });
  await Promise.all(failures);
});
