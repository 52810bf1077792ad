import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { program } from "../../cmd/program.ts";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { PcapngParser } from "../../lib/capture/file/pcapng_parser.ts";
import { FLAG, newSegment, readSegment } from "../../lib/capture/packet/tcp_segment.ts";
import { dial, formatAddress, listen, parseAddress } from "../../lib/net/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { permissionFlags } from "../../scripts/pack/permissions.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { deadline, until } from "../support/deadline.ts";
import {
  InnerProgram,
  type Program,
  ROOT,
  script,
  ServerProgram,
  start,
} from "../support/programs.ts";
import { SERVER_TLS, TLS_FILES, TRUSTING } from "../support/tls.ts";
import { Scratch } from "../support/scratch.ts";
import { readAll } from "../capture/packets.ts";
import { assertReset, dialResettable } from "../proxy/ends.ts";
import { lacksSignals } from "../support/skip.ts";

/** Those of a packed program: it stands on sockets and TLS of Node's, which ask for more of them. */
const permissions = await permissionFlags(program, targetOf(Deno.build.target));

function tap(upstream: string, ...args: string[]): Promise<ServerProgram> {
  const words = [`${ROOT}cmd/socktool.ts`, "tap", ":0", upstream, ...args];
  return ServerProgram.start(["run", ...permissions, ...words]);
}

async function stop(program: Program): Promise<string> {
  program.kill("SIGTERM");
  const { code, out } = await program.finished();
  assertEquals(code, 0);
  return out;
}

Deno.test("tap shows the frames of a broker's clients, with latencies and without credentials; and records them", async () => {
  if (lacksSignals()) return;
  using scratch = new Scratch();
  const path = scratch.at("t.pcapng");
  await using broker = serveBroker(await listen("127.0.0.1:0"));
  await using program = await tap(formatAddress(broker.address), "--record", path);
  {
    await using client = await connectBroker(program.address, {
      name: "c\x1b[31m",
      credentials: { token: "s3cret" },
    });
    const subscription = await client.subscribe("a.>");
    await client.publishConfirmed("a.b", "x\x1b]0;title\x07\ny");
    await deadline(subscription[Symbol.asyncIterator]().next());
  }
  const out = await stop(program);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f]|s3cret/.test(out), out);
  assertMatch(out, /^ +\d+\.\d{6} +#1 > hello .*token=\*\*\*/m);
  assertMatch(out, /^ +\d+\.\d{6} +\+\S+ \S+ #1 < ok .*id=\d/m);
  assertMatch(out, /#1 > pub .*topic=a\.b.* text\/plain 13 B x\\x1b\]0;title\\x07\\ny$/m);
  assertMatch(out, /#1 < pub topic=a\.b/m);
  assertMatch(out, /^#1 127\.0\.0\.1:\d+ > 127\.0\.0\.1:\d+: \d+ frames .* closed after/m);
  const { seen } = await readAll(Deno.readFileSync(path));
  assertEquals([seen.length, seen[0]!.how], [1, "closed"]);
  assert(String(seen[0]!.up[0]).includes("s3cret"));
});

Deno.test("tap passes broken frames and any other bytes on, and says what they are", async () => {
  if (lacksSignals()) return;
  await using server = await serveRequests("127.0.0.1:0", () => jsonFrame({ result: "yes" }));
  const upstream = formatAddress(server.address);
  const matches = ["--match", "action=ask", "--match", "kind=no"];
  await using frames = start(["tap", ":0", upstream, "--json", ...matches]);
  await frames.printed("\n", "out");
  const { address: framesAddress } = JSON.parse(frames.out);
  await using raw = await tap(upstream, "--raw");
  {
    await using client = await connectRequests(framesAddress as string);
    await client.request(jsonFrame({ action: "ask" }));
    await client.request(jsonFrame({ action: "other" }));
  }
  await frames.printed('"type":"connection"', "out");
  for (const address of [framesAddress, raw.address]) {
    using conn = await dial(address);
    const hello = encodeFrame(jsonFrame({ action: "hello", password: "s3cret" }));
    await conn.write(hello);
    await conn.read(new Uint8Array(1_000));
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await conn.closeWrite();
    const answer = await deadline(new Response(conn.readable).text());
    assertMatch(answer, /truncated/);
  }
  const objects = (await stop(frames)).trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(objects.map(({ type, kind, code }) => kind ?? code ?? type), [
    "listening",
    "ask",
    "answer",
    "connection",
    "header-syntax",
    "skipped",
    "connection",
  ]);
  assert(objects[2].latency_ms > 0 && objects[2].answers === "ask");
  const text = await stop(raw);
  assert(!text.includes("s3cret"));
  assertMatch(text, /#1 > \d+ B \\x00`\{"byteorder"/);
  assertMatch(text, /#1 > 18 B GET \/ HTTP\/1.1\\x0d\\n\\x0d\\n$/m);
});

Deno.test("tap shows what goes through TLS, on either side of it", async () => {
  if (lacksSignals()) return;
  const options = { tls: SERVER_TLS };
  await using server = await serveRequests(
    "127.0.0.1:0",
    () => jsonFrame({ result: "yes" }),
    options,
  );
  const upstream = formatAddress(server.address);
  const tls = ["--tls", "--tls-ca", TLS_FILES.ca];
  const cert = ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key];
  await using program = await tap(upstream, ...tls, ...cert);
  {
    await using client = await connectRequests(program.address, TRUSTING);
    await client.request(jsonFrame({ action: "ask" }));
  }
  assertMatch(await stop(program), /#1 > ask text\/json .*\n.*#1 < answer text\/json/);
});

/** Who sends the resets in a recording. */
function resettingSides(file: Uint8Array): ("client" | "server")[] {
  const clients = new Set<string>();
  const sides: ("client" | "server")[] = [];
  const segment = newSegment();
  new PcapngParser().parse(file, 0, file.length, (packet) => {
    if (readSegment(packet, segment) !== undefined) return;
    const { source, flags } = segment;
    if ((flags & (FLAG.syn | FLAG.ack)) === FLAG.syn) clients.add(source);
    if (flags & FLAG.rst) sides.push(clients.has(source) ? "client" : "server");
  });
  return sides;
}

Deno.test("a reset of either side comes out at the other one of a tap, is shown, and is recorded as its", async () => {
  using scratch = new Scratch();
  const path = scratch.at("resets.pcapng");
  const accepted: Socket[] = [];
  const upstream = createServer((socket) => void accepted.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as { port: number };
  await using program = new InnerProgram(["tap", ":0", `:${port}`, "--raw", "--record", path]);
  await program.printed("listening on");
  const address = parseAddress(/listening on (\S+)/.exec(program.err)![1]!);

  const first = await dialResettable(address);
  first.write("abc");
  await until(() => accepted[0] !== undefined && accepted[0].bytesRead === 3, "what was sent");
  const broken = new Promise((resolve) => accepted[0]!.once("error", resolve));
  first.resetAndDestroy();
  assertEquals((await deadline(broken) as { code?: string }).code, "ECONNRESET");

  using second = await dial(address);
  await until(() => accepted.length === 2, "the second connection");
  accepted[1]!.resetAndDestroy();
  await assertReset(second);

  await until(() => program.out.split("reset after").length === 3, "both are shown");
  program.interrupt();
  const { code, out } = await program.finished();
  upstream.close();
  assertEquals(code, 0);
  assertMatch(out, /^#1 .*\(3.B\) up, .*, reset after/m);
  const file = Deno.readFileSync(path);
  const { seen } = await readAll(file);
  assertEquals(seen.map(({ how, up }) => [how, up.join()]), [["reset", "abc"], ["reset", ""]]);
  assertEquals(resettingSides(file), ["client", "server"]);
});

Deno.test("while nobody reads what a tap prints, the traffic goes on, and what is left out is counted", async () => {
  await using server = await serveRequests("127.0.0.1:0", () => jsonFrame({ result: "yes" }));
  const upstream = formatAddress(server.address);
  const command = new Deno.Command(Deno.execPath(), {
    args: script("cmd/socktool.ts", "tap", ":0", upstream, "-v"),
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const stderr = child.stderr.getReader();
  const said = new TextDecoder().decode((await deadline(stderr.read())).value);
  const address = /listening on (\S+)/.exec(said)![1]!;
  {
    await using client = await connectRequests(address);
    const value = "x".repeat(60_000);
    for (let i = 0; i < 60; i++) {
      await deadline(client.request(jsonFrame({ action: "ask", value })));
    }
  }
  let out = "";
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) out += text;
  })();
  await until(() => /\(\d+ lines left out: the output did not keep up\)/.test(out));
  child.kill("SIGTERM");
  await deadline(reading);
  await stderr.cancel();
});
