import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  loadRecording,
  openRecorder,
  recordListener,
  replayClient,
  serveReplay,
} from "../../lib/capture/mod.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { dial, formatAddress, listen, type Listener, parseAddress } from "../../lib/net/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { deadline } from "../support/deadline.ts";
import { InnerServer, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { readAll } from "../capture/packets.ts";

/** Records what a test does with a server on a listener; returns the recording's path. */
async function record(
  scratch: Scratch,
  name: string,
  serve: (listener: Listener) => AsyncDisposable,
  use: (address: string) => Promise<void>,
): Promise<string> {
  const path = scratch.at(`${name}.pcapng`);
  using recorder = openRecorder({ path });
  const listener = recordListener(await listen("127.0.0.1:0"), recorder);
  {
    await using _server = serve(listener);
    await use(formatAddress(listener.address));
  }
  return path;
}

/** A server whose answers are counted, so that they depend on what came before. */
function counting(listener: Listener, score = 1) {
  let asked = 0;
  return serveRequests(listener, (request) => {
    const { value } = request.json<{ value: string }>();
    return jsonFrame({ result: value.toUpperCase(), asked: ++asked, hits: [{ score }] });
  });
}

async function ask(address: string): Promise<void> {
  await using one = await connectRequests(address);
  await using two = await connectRequests(address);
  for (const value of ["a", "b", "c"]) {
    await one.request(jsonFrame({ value }));
    await Promise.all([two.request(jsonFrame({ value })), two.request(jsonFrame({ value: "x" }))]);
  }
}

async function load(path: string) {
  using file = await Deno.open(path);
  return await loadRecording(file);
}

/** What went over each connection of a recording. */
async function traffic(path: string): Promise<(string | number)[][]> {
  const { seen } = await readAll(Deno.readFileSync(path));
  return seen.map(({ up, down }) => [...up, ...down]);
}

Deno.test("replay sends what was recorded, in the recorded order: a recording of it is the same", async () => {
  using scratch = new Scratch();
  const path = await record(scratch, "a", counting, ask);
  for (const [i, pace] of (["answers", "recorded", "answers"] as const).entries()) {
    // At the recorded times, requests of two connections may overtake each other.
    const check = pace === "answers";
    const again = await record(scratch, `again${i}`, counting, async (address) => {
      const result = await deadline(
        replayClient(await load(path), address, { pace, speed: 10, check }),
      );
      assertEquals(
        [result.connections, result.receivedFrames, result.differences, result.late, result.failed],
        [2, 9, 0, 0, 0],
      );
    });
    if (check) assertEquals(await traffic(again), await traffic(path));
  }
});

Deno.test("replay plays bytes that are no frames, and a broker's clients, at any pace", async () => {
  using scratch = new Scratch();
  const echo = await record(scratch, "echo", serveEcho, async (address) => {
    using conn = await dial(address);
    for (const text of ["hello", "world"]) {
      await conn.write(new TextEncoder().encode(text));
      await conn.read(new Uint8Array(10));
    }
    await conn.closeWrite();
    assertEquals(await conn.read(new Uint8Array(10)), null);
  });
  const talk = await record(scratch, "broker", serveBroker, async (address) => {
    await using subscriber = await connectBroker(address);
    await using publisher = await connectBroker(address);
    const subscription = await subscriber.subscribe("a.>");
    const messages = subscription[Symbol.asyncIterator]();
    for (let i = 0; i < 5; i++) {
      await publisher.publishConfirmed(`a.${i}`, `text ${i}`);
      await deadline(messages.next());
    }
  });
  const ignore = ["epoch", "inbox", "counter"];
  for (const pace of ["answers", "at-once", "recorded"] as const) {
    await using server = serveEcho(await listen("127.0.0.1:0"));
    const options = { pace, speed: 100, check: true };
    const result = await deadline(replayClient(await load(echo), server.address, options));
    assertEquals([result.differences, result.receivedBytes, result.failed], [0, 10, 0], pace);
    if (pace !== "answers") continue;
    await using broker = serveBroker(await listen("127.0.0.1:0"));
    const played = await deadline(
      replayClient(await load(talk), broker.address, { ...options, ignore }),
    );
    assertEquals([played.differences, played.late, played.failed], [0, 0, 0], pace);
  }
});

Deno.test("replay plays the server: a real client gets what was recorded, and is checked", async () => {
  using scratch = new Scratch();
  const path = await record(scratch, "a", counting, ask);
  const listener = await listen("127.0.0.1:0");
  const address = formatAddress(listener.address);
  const playing = serveReplay(await load(path), listener, { check: true });
  const seen: unknown[] = [];
  {
    await using one = await connectRequests(address);
    await using two = await connectRequests(address);
    for (const value of ["a", "b", "c"]) {
      seen.push((await one.request(jsonFrame({ value }))).json<{ result: string }>().result);
      await Promise.all([
        two.request(jsonFrame({ value })),
        two.request(jsonFrame({ value: "?" })),
      ]);
    }
  }
  const result = await deadline(playing);
  assertEquals(seen, ["A", "B", "C"]);
  assertEquals([result.connections, result.differences, result.late], [2, 3, 0]);
});

Deno.test("the command tells differences and what did not come, by its exit code", async () => {
  using scratch = new Scratch();
  const path = await record(scratch, "a", counting, ask);
  await using other = counting(await listen("127.0.0.1:0"), 2);
  const to = formatAddress(other.address);
  const differs = await socktool(["replay", path, "--to", to, "--check"]);
  assertEquals(differs.code, 3);
  assertEquals(differs.out.split("\n")[0], "#1 answer 1, hits.0.score: recorded 1, 2 came");
  assertMatch(differs.err, /^played 2 connections: .* sent, .* came, in 9 frames, 9 differences$/m);
  const json = await socktool(
    ["replay", path, "--to", to, "--check", "--ignore", "hits.score", "--json"],
  );
  const objects = json.out.trim().split("\n").map((line) => JSON.parse(line));
  // The second replay goes on counting where the first one stopped.
  assertEquals([json.code, objects[0].differences[0].path], [3, "asked"]);
  assertEquals(objects.slice(-2).map(({ type }) => type), ["summary", "error"]);
  const ignored = ["--ignore", "hits.score", "--ignore", "asked"];
  const same = await socktool(["replay", path, "--to", to, "--check", ...ignored]);
  assertEquals([same.code, same.out], [0, ""]);
  await using silent = await InnerServer.start(["echo-server", ":0"]);
  const late = await socktool(
    ["replay", path, "--to", formatAddress(silent.address), "--as-fast", "--timeout", "200ms"],
  );
  // The echo of the requests is as many frames as there were answers.
  assertEquals(late.code, 0);
  const serve = ["replay", path, "--serve", ":0", "--check"];
  await using player = await InnerServer.start(serve);
  await ask(formatAddress(player.address));
  const played = await player.finished();
  assertEquals([played.code, played.out], [0, ""]);
  assertMatch(played.err, /^played 2 connections: .* in 9 frames, 0 differences$/m);
  const none = parseAddress("127.0.0.1:1");
  const refused = await Promise.all([
    socktool(["replay", path, "--to", formatAddress(none)]),
    socktool(["replay", path]),
    socktool(["replay", path, "--to", to, "--serve", ":0"]),
    socktool(["replay", path, "--to", to, "--ignore", "x"]),
    socktool(["replay", path, "--to", to, "--timing", "--as-fast"]),
    socktool(["replay", scratch.at("none"), "--to", to]),
    socktool(["replay", scratch.write("text", "no capture"), "--to", to]),
  ]);
  assertEquals(refused.map(({ code }) => code), [1, 2, 2, 2, 2, 1, 1]);
  assertMatch(
    refused[6]!.err,
    /^error: \S+text: cannot play this file back: it is no pcapng or pcap$/m,
  );
});

Deno.test("replay waits for answers as long as it is told, and says that they did not come", async () => {
  using scratch = new Scratch();
  const path = await record(scratch, "a", counting, ask);
  const dropped: Promise<unknown>[] = [];
  const server = serveRequests(await listen("127.0.0.1:0"), () => {
    const never = Promise.withResolvers<never>();
    dropped.push(never.promise);
    return never.promise;
  });
  const before = performance.now();
  const { code, err } = await socktool(
    ["replay", path, "--to", formatAddress(server.address), "--timeout", "100ms"],
  );
  await server.drain(0);
  assertEquals(code, 1);
  assertMatch(err, /^error: on 2 connections not all that was recorded came in time$/m);
  assert(performance.now() - before < 20_000 && dropped.length > 0);
});
