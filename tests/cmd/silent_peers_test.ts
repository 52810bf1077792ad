/** Every command that asks a server something gives up one that answers nothing. */
import { assert, assertEquals } from "@std/assert";
import { ChunkDecoder, encodeFrame, type Frame } from "../../lib/frame/mod.ts";
import { formatAddress, type Listener } from "../../lib/net/mod.ts";
import { listenLocally } from "../support/peers.ts";
import { socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

/** Peers that accept, by what they answer: the header of an answer, or nothing. */
const PEERS: Readonly<Record<string, (frame: Frame) => object | undefined>> = {
  mute: () => undefined,
  hello: ({ header }) => header["op"] === "hello" ? { op: "ok", id: header["id"] } : undefined,
};

/** Serves the connections of a listener until that is closed. */
async function serve(listener: Listener, answer: (frame: Frame) => object | undefined) {
  while (true) {
    const conn = await listener.accept().catch(() => undefined);
    if (conn === undefined) return;
    void (async () => {
      const decoder = new ChunkDecoder();
      const buffer = new Uint8Array(4_096);
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        for (const frame of decoder.push(buffer.slice(0, count)).frames) {
          const header = answer(frame);
          if (header) await conn.write(encodeFrame({ header: { ...header } }));
        }
      }
    })().catch(() => {}).finally(() => conn.close());
  }
}

/** Command lines, in which SERVER is the peer, and what is told of a peer that answers a hello alone. */
const COMMANDS: readonly (readonly [line: string, told: string])[] = [
  ["stream list -s SERVER", "SERVER did not answer stream list in 300 ms"],
  ["stream info a -s SERVER", "SERVER did not answer stream info"],
  ["stream create a a.> -s SERVER", "SERVER did not answer stream create"],
  ["stream update a --max-count 1 -s SERVER", "SERVER did not answer stream update"],
  ["stream delete a -s SERVER", "SERVER did not answer stream delete"],
  ["stream purge a -s SERVER", "SERVER did not answer stream purge"],
  ["stream consumers a -s SERVER", "SERVER did not answer stream consumers"],
  ["stream dead a c -s SERVER", "SERVER did not answer stream dead"],
  ["stream redrive a c -s SERVER", "SERVER did not answer stream redrive"],
  ["stream backup FILE -s SERVER", "SERVER did not answer stream backup"],
  ["pub a x -s SERVER", "SERVER: the client could not be drained in 300 ms"],
  ["pub a x --confirm -s SERVER", "SERVER: the client could not be drained"],
  ["pub a x --stored -s SERVER", "SERVER: the client could not be drained"],
  ["pub a x --request -s SERVER", "SERVER: the client could not be drained"],
  ["sub a -s SERVER", "SERVER did not confirm the subscription in 300 ms"],
  ["sub a --retained -s SERVER", "SERVER did not confirm the subscription"],
  ["sub --stream a -s SERVER", "SERVER did not confirm reading a"],
  ["sub --stream a --consumer c --each true -s SERVER", "SERVER did not confirm reading a"],
  [
    "load SERVER 1 --count 1 --publish a --subscribe a --connect-timeout 300ms",
    "SERVER did not answer sub",
  ],
  ["app-client SERVER search x", "cannot read from SERVER: no answer in time"],
];

/** Whether it is told. On a busy machine the answer to the hello may come too late as well. */
function tellsOf(err: string, told: string, server: string): boolean {
  return err.includes(told.replace("SERVER", server)) ||
    err.includes(`${server} accepts connections and does not answer`);
}

Deno.test("a peer that answers nothing, or the hello alone, is given up in time and named", async () => {
  using scratch = new Scratch();
  await Promise.all(
    Object.entries(PEERS).map(async ([peer, answer]) => {
      using listener = await listenLocally();
      const serving = serve(listener, answer);
      const server = formatAddress(listener.address);
      await Promise.all(COMMANDS.map(async ([line, told]) => {
        const words = line.split(" ").map((word) =>
          word === "SERVER" ? server : word === "FILE" ? scratch.at(peer) : word
        );
        const { code, out, err } = await socktool([...words, "--timeout", "300ms", "--json"]);
        const last = JSON.parse(out.trimEnd().split("\n").at(-1)!);
        assertEquals([line, code, last.code], [line, 1, "timed-out"]);
        assert(err.includes(server), err);
        assert(peer === "mute" || err.includes(told.replace("SERVER", server)), err);
      }));
      listener.close();
      await serving;
    }),
  );
  assertEquals([...Deno.readDirSync(scratch.at("."))], [], "no backup was begun, or left");
});

Deno.test("a subscriber without --timeout gives up a broker that answers nothing after 10 s, but not with --wait", async () => {
  using listener = await listenLocally();
  const serving = serve(listener, PEERS["hello"]!);
  const server = formatAddress(listener.address);
  const { setTimeout } = globalThis;
  // A second of theirs takes 50 ms.
  const sped = (run: () => void, ms = 0) =>
    setTimeout(run, ms >= 10_000 && ms <= 15_000 ? ms / 20 : ms);
  globalThis.setTimeout = sped as typeof setTimeout;
  try {
    await Promise.all([["a"], ["a", "--retained"], ["--stream", "a"]].map(async (words) => {
      const { code, err } = await socktool(["sub", ...words, "-s", server]);
      assertEquals([words, code], [words, 1]);
      assert(tellsOf(err, "SERVER did not answer sub in 10 s", server), err);
    }));
    const waiting = await socktool(["sub", "a", "--wait", "--timeout", "15s", "-s", server]);
    assert(tellsOf(waiting.err, "SERVER did not confirm the subscription in 15 s", server));
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  listener.close();
  await serving;
});
