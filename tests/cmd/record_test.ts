import { assert, assertEquals, assertMatch } from "@std/assert";
import { TrafficSummary, watchFrames } from "../../lib/capture/mod.ts";
import { exchangeEcho } from "../../lib/echo/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { type Address, dial } from "../../lib/net/mod.ts";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests } from "../../lib/request/mod.ts";
import { readCapture } from "../../lib/capture/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { InnerServer, script, ServerProgram, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { readAll } from "../capture/packets.ts";

function serve(command: string, ...args: string[]): Promise<InnerServer> {
  return InnerServer.start([command, ":0", ...args]);
}

/** The kinds of frames in a recording, with how many there were and were answered. */
async function kindsOf(path: string): Promise<string[]> {
  const summary = await TrafficSummary.create();
  using file = await Deno.open(path);
  const { damage, unfinishedBytes } = await readCapture(file, watchFrames(summary));
  const { kinds, broken, skippedBytes, missingBytes } = summary.figures();
  assertEquals([damage, unfinishedBytes, broken, skippedBytes, missingBytes], [
    undefined,
    0,
    {},
    0,
    0,
  ]);
  return kinds.map(({ kind, frames, answered }) => `${kind} ${frames} ${answered}`).sort();
}

Deno.test("every server records its connections with --record, and goes on after a full disk", async () => {
  using scratch = new Scratch();
  const at = (name: string) => scratch.at(`${name}.pcapng`);
  const names = ["echo-server", "multiconn-server", "app-server", "broker"];
  const servers = await Promise.all(names.map((name) => serve(name, "--record", at(name))));
  try {
    for (const [i, server] of servers.entries()) {
      assertMatch(server.err, /^warning: recording to \S+: it holds all that is sent, passwords/m);
      if (i < 2) {
        const { received } = await echoed(server.address, "hello");
        assertEquals(received, "hello");
      }
    }
    {
      await using client = await connectRequests(servers[2]!.address);
      await client.request(jsonFrame({ action: "search", value: "morpheus" }));
      await client.request(jsonFrame({ action: "get", value: "ring" }));
    }
    {
      await using client = await connectBroker(servers[3]!.address);
      await client.subscribe("a.>");
      await client.publishConfirmed("a.b", "text");
    }
    for (const server of servers) {
      server.interrupt();
      assertEquals((await server.finished()).code, 0);
    }
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
  for (const name of names.slice(0, 2)) {
    const { seen } = await readAll(Deno.readFileSync(at(name)));
    assertEquals(seen.map(({ up, down, how }) => [up, down, how]), [
      [["hello"], ["hello"], "closed"],
    ]);
  }
  assertEquals(await kindsOf(at("app-server")), ["answer 2 0", "get 1 1", "search 1 1"]);
  const broker = await kindsOf(at("broker"));
  for (const kind of ["hello 1 1", "sub 1 1", "pub 1 1", "pub 1 0"]) {
    assert(broker.includes(kind), broker.join());
  }
});

async function echoed(address: Address, text: string): Promise<{ received: string }> {
  using conn = await dial(address);
  await conn.write(new TextEncoder().encode(text));
  await conn.closeWrite();
  const received = await deadline(new Response(conn.readable).text());
  return { received };
}

Deno.test("a recording is whole after a kill, up to the last moments, and no other file is replaced", async () => {
  using scratch = new Scratch();
  const path = scratch.at("k.pcapng");
  await using server = await ServerProgram.start(
    script("cmd/socktool.ts", "echo-server", ":0", "--record", path),
  );
  using conn = await dial(server.address);
  await conn.write(new TextEncoder().encode("before the kill"));
  await conn.read(new Uint8Array(100));
  await until(() => Deno.readTextFileSync(path).includes("before the kill"), "it is in the file");
  server.kill("SIGKILL");
  await server.finished();
  const { seen, damage, unfinishedBytes } = await readAll(Deno.readFileSync(path));
  assertEquals([seen[0]!.up, damage, unfinishedBytes], [["before the kill"], undefined, 0]);
  const notes = scratch.write("notes.txt", "important");
  const refused = await Promise.all([
    socktool(["echo-server", ":0", "--record", notes]),
    socktool(["echo-server", ":0", "--record", scratch.at("no/a")]),
    socktool(["multiconn-server", ":0", "--record", path, "--workers", "2"]),
    socktool(["broker", ":0", "--record-max", "5MiB"]),
    socktool(["broker", ":0", "--record", path, "--record-max", "5KiB"]),
  ]);
  assertEquals(refused.map(({ code }) => code), [2, 1, 2, 2, 2]);
  assertMatch(refused[0]!.err, /^error: --record: cannot record to .*: it is another file/);
  assertMatch(refused[1]!.err, /^error: cannot record to .*: no such file or folder/);
  assertEquals(Deno.readTextFileSync(notes), "important");
});

Deno.test({
  name: "a disk that fills up ends the recording loudly, and nothing else",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using scratch = new Scratch();
    const path = scratch.at("f.pcapng");
    // A limit of the size of files has the effect of a full disk.
    const command = `ulimit -f 1000 && trap '' XFSZ && exec "$0" "$@"`;
    await using server = await ServerProgram.start(
      script("cmd/socktool.ts", "echo-server", ":0", "--record", path),
      { shell: command },
    );
    const content = new Uint8Array(2_000_000);
    const { bytes } = await deadline(exchangeEcho(server.address, new Blob([content]).stream()));
    assertEquals(bytes, content.length);
    await server.printed("error: the recording has ended, connections go on: cannot write");
    assertEquals((await echoed(server.address, "still there")).received, "still there");
    const { damage } = await readAll(Deno.readFileSync(path));
    assertEquals(damage, undefined);
  },
});
