/** Every command that asks a server something gives up one that answers nothing. */
import { assert, assertEquals } from "@std/assert";
import { program } from "../../cmd/program.ts";
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

/**
 * Command lines, in which SERVER is the peer and TIME how long it is waited for, and what is told of a
 * peer that answers a hello alone.
 */
const COMMANDS: readonly (readonly [line: string, told: string])[] = [
  ["stream list -s SERVER", "SERVER did not answer stream list in TIME"],
  ["stream info a -s SERVER", "SERVER did not answer stream info"],
  ["stream create a a.> -s SERVER", "SERVER did not answer stream create"],
  ["stream update a --max-count 1 -s SERVER", "SERVER did not answer stream update"],
  ["stream delete a -s SERVER", "SERVER did not answer stream delete"],
  ["stream purge a -s SERVER", "SERVER did not answer stream purge"],
  ["stream consumers a -s SERVER", "SERVER did not answer stream consumers"],
  ["stream dead a c -s SERVER", "SERVER did not answer stream dead"],
  ["stream redrive a c -s SERVER", "SERVER did not answer stream redrive"],
  ["stream backup FILE -s SERVER", "SERVER did not answer stream backup"],
  ["pub a x -s SERVER", "SERVER: the client could not be drained in MS ms"],
  ["pub a x --confirm -s SERVER", "SERVER: the client could not be drained"],
  ["pub a x --stored -s SERVER", "SERVER: the client could not be drained"],
  ["pub a x --request -s SERVER", "SERVER: the client could not be drained"],
  ["sub a -s SERVER", "SERVER did not confirm the subscription in TIME"],
  ["sub a --retained -s SERVER", "SERVER did not confirm the subscription"],
  ["sub --stream a -s SERVER", "SERVER did not confirm reading a"],
  ["sub --stream a --consumer c --each true -s SERVER", "SERVER did not confirm reading a"],
  [
    "load SERVER 1 --count 1 --publish a --subscribe a --connect-timeout TIME",
    "SERVER did not answer sub",
  ],
  ["app-client SERVER search x", "cannot read from SERVER: no answer in time"],
];

/**
 * How long peers are waited for: on a busy machine the first time may be over before their answer to the
 * hello has come, and then that is what is told.
 */
const TIMES = [[300, "300 ms"], [3_000, "3 s"], [9_000, "9 s"]] as const;

/** Loads what runs the command lines: on a busy machine that may take longer than all of these times. */
async function loadCommands(): Promise<void> {
  const names = COMMANDS.map(([line]) => line.split(" ")[0]);
  for (const { name, load } of program.commands) if (names.includes(name)) await load();
  await import("../../cmd/_load/pubsub_exchange.ts");
}

Deno.test("a peer that answers nothing, or the hello alone, is given up in time and named", async () => {
  using scratch = new Scratch();
  await loadCommands();
  await Promise.all(
    Object.entries(PEERS).map(async ([peer, answer]) => {
      using listener = await listenLocally();
      const serving = serve(listener, answer);
      const server = formatAddress(listener.address);
      const failures = await Promise.allSettled(COMMANDS.map(async ([line, told]) => {
        for (const [ms, said] of TIMES) {
          const time = `${ms}ms`;
          const given: Readonly<Record<string, string>> = {
            SERVER: server,
            FILE: scratch.at(peer),
            TIME: time,
          };
          const words = line.split(" ").map((word) => given[word] ?? word);
          const { code, out, err } = await socktool([...words, "--timeout", time, "--json"]);
          const last = JSON.parse(out.trimEnd().split("\n").at(-1)!);
          assertEquals([line, code, last.code], [line, 1, "timed-out"]);
          assert(err.includes(server), err);
          const expected = told.replace("SERVER", server).replace("TIME", said)
            .replace("MS", String(ms));
          if (peer === "mute" || err.includes(expected)) return;
          assert(ms !== TIMES.at(-1)![0], `${expected} is not told: ${err}`);
        }
      }));
      listener.close();
      await serving;
      assertEquals(failures.filter(({ status }) => status === "rejected"), []);
    }),
  );
  assertEquals([...Deno.readDirSync(scratch.at("."))], [], "no backup was begun, or left");
});

/** So many of the seconds of those who wait for 10 to 15 pass in one; more on a machine that is quick enough. */
const SPEEDS = [20, 4, 1];

Deno.test("a subscriber without --timeout gives up a broker that answers nothing after 10 s, but not with --wait", async () => {
  using listener = await listenLocally();
  const serving = serve(listener, PEERS["hello"]!);
  const server = formatAddress(listener.address);
  const { setTimeout } = globalThis;
  const tells = async (told: string, ...args: readonly string[]) => {
    let err = "";
    for (const speed of SPEEDS) {
      const sped = (run: () => void, ms = 0) =>
        setTimeout(run, ms >= 10_000 && ms <= 15_000 ? ms / speed : ms);
      globalThis.setTimeout = sped as typeof setTimeout;
      const finished = await socktool(["sub", ...args, "-s", server]);
      assertEquals([args, finished.code], [args, 1]);
      err = finished.err;
      if (err.includes(`${server} ${told}`)) return;
    }
    throw new Error(`"${told}" is not told: ${err}`);
  };
  try {
    for (const words of [["a"], ["a", "--retained"], ["--stream", "a"]]) {
      await tells("did not answer sub in 10 s", ...words);
    }
    await tells("did not confirm the subscription in 15 s", "a", "--wait", "--timeout", "15s");
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  listener.close();
  await serving;
});
