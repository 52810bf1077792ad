/** Disks that are full, files that are gone, files that are something else. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  checkStreamStore,
  openStreamStore,
  repairStreamStore,
  StreamError,
  type StreamStart,
  type StreamStore,
} from "../../../../lib/pubsub/mod.ts";
import { newStreamSettings, type Stored } from "../../../../lib/pubsub/mod.ts";
import { SqliteError } from "../../../../lib/sqlite/mod.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { dial } from "../../../../lib/net/mod.ts";
import { until } from "../../../support/deadline.ts";
import { Scratch } from "../../../support/scratch.ts";
import { RawPeer } from "../../support.ts";
import { frameOf, framesIn, publication } from "./support.ts";

/** Stores one publication, or tells why it is not. */
function append(store: StreamStore, content: string): Promise<Stored | StreamError> {
  const { promise, resolve } = Promise.withResolvers<Stored | StreamError>();
  store.append("orders", frameOf(publication("orders.a", content)), 1, resolve);
  return promise;
}

const READER = { owner: 1, stream: "orders", sid: 1, topic: undefined, runs: false };

async function readAll(store: StreamStore): Promise<number> {
  const reader = await store.read({ ...READER, start: { from: "all" } });
  let count = 0;
  while (!reader.caughtUp) count += framesIn((await reader.read())!.bytes).length;
  reader.close();
  return count;
}

Deno.test("a full disk refuses publications; the rest goes on, and so do they once there is room", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.at("store"), {
    maxDiskBytes: 2_097_152,
    maxMemoryBytes: 0,
  });
  await store.create("orders", newStreamSettings(["orders.>"]));
  const init = { stream: "orders", consumer: "c", owner: 1, sid: 1, settings: {} };
  const start = { from: "all" } as const;
  const member = await store.join({ ...init, start, prefetch: 1, runs: false });
  let stored = 0;
  let refused: unknown;
  while (refused === undefined) {
    const outcome = await append(store, "x".repeat(100_000));
    if (outcome instanceof StreamError) refused = outcome.code;
    else assertEquals(outcome.seq, ++stored);
  }
  assertEquals(refused, "storage-full");
  assertEquals(await readAll(store), stored);
  const delivery = framesIn((await member.take())!.bytes)[0]!.header["delivery"] as number;
  const settlement = { kind: "ack", ...init, deliveries: [delivery], durable: true } as const;
  await store.settle({ ...settlement, delayMs: undefined, reason: undefined });
  await store.purge("orders", stored, undefined);
  assertEquals(await append(store, "x".repeat(100_000)), { seq: stored + 1, duplicate: false });
});

Deno.test("retained values for which there is no room wait for it, which is told once", async () => {
  using scratch = new Scratch();
  const limits = { maxDiskBytes: 2_097_152, maxMemoryBytes: 0 };
  const valueOf = (content: string) => framesIn(publication("t", content))[0]!.bytes.slice();
  const told: string[] = [];
  const events = {
    isAlone: () => false,
    topicsChanged: () => {},
    deadLetter: () => {},
    failed: () => {},
    retainedWaits: ({ code, message }: StreamError) => void told.push(`${code}: ${message}`),
  };
  const large = "x".repeat(1_200_000);
  {
    await using store = await openStreamStore(scratch.at("store"), limits);
    store.events = events;
    await store.create("orders", newStreamSettings(["orders.>"]));
    assertEquals(await append(store, large), { seq: 1, duplicate: false });
    for (const topic of ["a", "b"]) store.retain(topic, valueOf(large));
    await until(() => told.length > 0, "the warning");
    // Others have theirs stored meanwhile, and a newer value replaces the one that waits.
    await store.create("other", newStreamSettings(["other.>"]));
    store.retain("b", valueOf("newer"));
    store.retain("c", valueOf("small"));
    await store.purge("orders", 2, undefined);
    assertEquals(told.length, 1, told.join());
    assertStringIncludes(told[0]!, "storage-full: Retained publications wait");
  }
  {
    await using store = await openStreamStore(scratch.at("store"), limits);
    const kept = store.takeRetained().map(({ topic, frame }) => [topic, frame.length]);
    const [newer, small] = [valueOf("newer").length, valueOf("small").length];
    assertEquals(kept.sort(), [["a", valueOf(large).length], ["b", newer], ["c", small]]);
    assertEquals(told.length, 1, told.join());
    store.events = events;
    store.retain("d", valueOf(large));
    await until(() => told.length > 1, "the second warning");
  }
  // Nothing made room before it was closed.
  assertEquals(told.length, 3, told.join());
  assertStringIncludes(told[2]!, "are lost: ");
});

Deno.test("when its files are gone a store can only be read, and the broker ends with 1", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  const args = ["127.0.0.1:0", "--store", folder, "--stream", "orders=orders.>"];
  await using broker = await ServerProgram.start(script("cmd/broker.ts", ...args));
  using peer = new RawPeer(await dial(broker.address));
  const store = { topic: "orders.a", stored: true, id: 1 };
  assertEquals((await peer.ask("pub", store, "kept"))["seq"], 1);
  await Deno.remove(`${folder}/socktool.db`);
  assertEquals((await peer.ask("pub", store, "lost"))["code"], "storage-failed");
  assertEquals((await peer.ask("pub", store, "lost"))["code"], "storage-failed");
  await peer.ask("sub", { stream: "orders", sid: 1, from: "all", id: 2 });
  assertEquals((await peer.frame()).text(), "kept");
  broker.kill("SIGTERM");
  const { code, err } = await broker.finished();
  assertEquals(code, 1);
  assert(err.includes("streams can only be read"), err);
});

Deno.test("what was confirmed before a store failed can be read, also where only the journal has it", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  await using store = await openStreamStore(folder);
  await store.create("orders", newStreamSettings(["orders.>"]));
  let stored = 0;
  for (let isFailed = false; !isFailed;) {
    if (stored === 20) await Deno.remove(`${folder}/socktool.db`);
    const outcome = await append(store, "x");
    isFailed = outcome instanceof StreamError;
    if (!isFailed) stored++;
  }
  assert(stored >= 20);
  const countOf = async (start: StreamStart) => {
    const reader = await store.read({ ...READER, start });
    let count = 0;
    while (!reader.caughtUp) count += framesIn((await reader.read())!.bytes).length;
    reader.close();
    return count;
  };
  assertEquals(await countOf({ from: "all" }), stored);
  assertEquals(await countOf({ fromSeq: stored }), 1);
  assertEquals(await countOf({ from: "new" }), 0);
  assertEquals(await countOf({ fromTimeMs: 0 }), stored);
  assertEquals(await countOf({ from: "last" }), 1);
});

Deno.test("a file that is no store, or a broken one, is refused", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  {
    await using store = await openStreamStore(folder);
    await store.create("orders", newStreamSettings(["orders.>"]));
  }
  const whole = await Deno.readFile(`${folder}/socktool.db`);
  const cases: [Uint8Array, string][] = [
    [new TextEncoder().encode("something else ".repeat(1_000)), "not-a-database"],
    [whole.map((byte, i) => (i < 100 ? byte : 0xee)), "damaged"],
    // Only what the streams are read from is broken: the file itself can be opened.
    [whole.map((byte, i) => (i < 4_096 ? byte : 0xee)), "damaged"],
  ];
  for (const [bytes, code] of cases) {
    await Deno.writeFile(`${folder}/socktool.db`, bytes);
    const error = await assertRejects(() => openStreamStore(folder), SqliteError);
    assertEquals(error.code, code);
    if (code === "damaged") assertStringIncludes(error.message, "stream repair --store");
    // What cannot be used is left alone.
    assertEquals(await Deno.readFile(`${folder}/socktool.db`), bytes);
  }
});

Deno.test("a database of somebody else, or of a later program, is not called damaged", async () => {
  using scratch = new Scratch();
  const changes = [["application_id", "foreign"], ["user_version", "newer"]] as const;
  for (const [pragma, code] of changes) {
    const folder = scratch.at(code);
    await (await openStreamStore(folder))[Symbol.asyncDispose]();
    using db = new DatabaseSync(`${folder}/socktool.db`);
    db.exec(`PRAGMA ${pragma} = 99`);
    for (const care of [checkStreamStore, repairStreamStore, openStreamStore]) {
      const error = await assertRejects(() => care(folder), SqliteError);
      assertEquals([care.name, error.code], [care.name, code]);
    }
  }
});

Deno.test("checking a store finds what is broken, and nothing else", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  {
    await using store = await openStreamStore(folder);
    await store.create("orders", { ...newStreamSettings(["orders.>"]), maxPerTopic: 2 });
    for (let i = 0; i < 5; i++) await append(store, `${i}`.repeat(100));
    await store.purge("orders", 4, undefined);
    await assertRejects(() => checkStreamStore(folder), SqliteError, "another program");
  }
  assertEquals(await checkStreamStore(folder), { streams: 1, messages: 2, problems: [] });
  const faults: [string, string][] = [
    ["UPDATE run SET frames = zeroblob(length(frames)) WHERE first = 5", "checksum"],
    ["UPDATE stream SET count = count + 1", "counts 3"],
    ["UPDATE stream SET next = 5", "counts 2"],
    ["UPDATE run SET count = 2 WHERE first = 5", "there are 1 frames"],
    ["UPDATE run SET count = 3 WHERE first = 5", "the next message is 6"],
    ["UPDATE run SET ends = zeroblob(4) WHERE first = 5", "the ends of the frames"],
  ];
  for (const [sql, problem] of faults) {
    await Deno.copyFile(`${folder}/socktool.db`, scratch.at("whole.db"));
    const db = new DatabaseSync(`${folder}/socktool.db`);
    db.exec(sql);
    db.close();
    const { problems } = await checkStreamStore(folder);
    assert(problems.some((text) => text.includes(problem)), `${sql}: ${problems.join()}`);
    await Deno.copyFile(scratch.at("whole.db"), `${folder}/socktool.db`);
  }
  // Nobody gets what was not stored: neither the header nor the content of the frame is read.
  const db = new DatabaseSync(`${folder}/socktool.db`);
  const { frames } = db.prepare("SELECT frames FROM run WHERE first = 5").get()!;
  (frames as Uint8Array)[(frames as Uint8Array).length - 1]! ^= 1;
  db.prepare("UPDATE run SET frames = ? WHERE first = 5").run(frames as Uint8Array);
  db.close();
  {
    await using store = await openStreamStore(folder);
    const error = await assertRejects(() => readAll(store), StreamError);
    assertEquals(error.code, "storage-failed");
    assertStringIncludes(error.message, "messages 5 to 5 are damaged");
  }
  await assertRejects(() => checkStreamStore(scratch.at("nothing")), SqliteError, "there is none");
});

Deno.test("a copy is written beside a store at work", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.at("store"));
  await store.create("orders", newStreamSettings(["orders.>"]));
  for (let i = 0; i < 3; i++) await append(store, `${i}`);
  await Deno.mkdir(scratch.at("copy"));
  await store.backup(scratch.at("copy/socktool.db"));
  await append(store, "later");
  // What was not written about the last messages is found out from these.
  assertEquals(await checkStreamStore(scratch.at("copy")), {
    streams: 1,
    messages: 3,
    problems: [],
  });
  await using copy = await openStreamStore(scratch.at("copy"));
  assertEquals(await readAll(copy), 3);
  await assertRejects(() => store.backup(scratch.at("copy/socktool.db")), StreamError);
});

Deno.test("a copy to be sent is whole, one at a time, and leaves nothing behind", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  const copies = () => [...Deno.readDirSync(folder)].filter(({ name }) => name.includes("copy"));
  {
    await using store = await openStreamStore(folder);
    await store.create("orders", newStreamSettings(["orders.>"]));
    for (let i = 0; i < 30; i++) await append(store, "x".repeat(50_000));
    const copy = await store.copy!();
    const error = await assertRejects(() => store.copy!(), StreamError);
    assertEquals(error.code, "unavailable");
    const parts: Uint8Array[] = [];
    for (let part = await copy.read(); part; part = await copy.read()) parts.push(part);
    copy.close();
    assertEquals(parts.reduce((sum, { length }) => sum + length, 0), copy.bytes);
    await Deno.mkdir(scratch.at("copy"));
    await Deno.writeFile(
      scratch.at("copy/socktool.db"),
      new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
    );
    await until(() => copies().length === 0);
    await using copied = await openStreamStore(scratch.at("copy"));
    assertEquals(await readAll(copied), 30);
    const ending = new AbortController();
    const ended = store.copy!(ending.signal);
    ending.abort(new Error("ended"));
    await assertRejects(() => ended, Error, "ended");
    assertEquals(copies(), [], "nothing is left of one that was ended");
    (await store.copy!()).close();
  }
  // A process that is killed leaves its copy; the next removes it.
  await until(() => copies().length === 0);
  await Deno.writeTextFile(`${folder}/socktool.db.copy-left`, "");
  await using _store = await openStreamStore(folder);
  assertEquals(copies(), []);
});
