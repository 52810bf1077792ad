/** Of a damaged store, what is whole is kept: never anything that was not stored. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  checkStreamStore,
  newStreamSettings,
  openStreamStore,
  repairStreamStore,
  type StreamStore,
} from "../../../../lib/pubsub/mod.ts";
import { SqliteError } from "../../../../lib/sqlite/mod.ts";
import { Random } from "../../../soak/random.ts";
import { Scratch } from "../../../support/scratch.ts";
import { StoreReader } from "../../../../lib/pubsub/broker/streams/sqlite/store_reader.ts";
import { frameOf, framesIn, publication } from "./support.ts";
import { soakSize } from "../../../support/soak_size.ts";

const PAGE = 4_096;
const ROUNDS = soakSize(6, 12);
const MESSAGES = 60;

const START = { from: "all" } as const;
const CONSUMER = { stream: "orders", consumer: "c", owner: 1, sid: 1, settings: {} };

function append(store: StreamStore, topic: string, content: string, id?: string): Promise<unknown> {
  return new Promise((resolve) => {
    const frame = frameOf(publication(topic, content, { "msg-id": id }));
    store.append(topic.split(".")[0]!, frame, 1, resolve);
  });
}

/** The contents of a stream by their numbers. */
async function contentsOf(store: StreamStore, stream: string): Promise<Map<number, string>> {
  const reader = await store.read({
    stream,
    owner: 1,
    sid: 1,
    start: START,
    topic: undefined,
    runs: false,
  });
  const found = new Map<number, string>();
  while (!reader.caughtUp) {
    for (const frame of framesIn((await reader.read())!.bytes)) {
      found.set(frame.header["seq"] as number, frame.text());
    }
  }
  reader.close();
  return found;
}

/** A whole database, and the contents of its streams. */
interface Filled {
  readonly whole: Uint8Array;
  readonly stored: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

let filling: Promise<Filled> | undefined;

/** Of one store that is filled once: tests change copies of its database. */
function filled(): Promise<Filled> {
  return filling ??= (async () => {
    using scratch = new Scratch();
    const folder = scratch.at("store");
    const stored = await fill(folder);
    return { whole: await Deno.readFile(`${folder}/socktool.db`), stored };
  })();
}

/** Makes a folder of a store with this database. */
async function makeStore(folder: string, database: Uint8Array): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/socktool.db`, database);
}

async function fill(folder: string): Promise<Map<string, Map<number, string>>> {
  await using store = await openStreamStore(folder);
  await store.create("orders", newStreamSettings(["orders.>"]));
  await store.create("last", { ...newStreamSettings(["last.>"]), maxPerTopic: 1 });
  for (let i = 0; i < MESSAGES; i++) {
    await append(store, `orders.${i % 3}`, `${i} `.repeat(700), `id ${i}`);
    if (i % 3 === 0) await append(store, `last.${i % 2}`, `last ${i}`);
  }
  store.retain("kept", publication("kept", "value"));
  const member = await store.join({ ...CONSUMER, start: START, prefetch: 3, runs: false });
  await member.take();
  member.close(false);
  return new Map([
    ["orders", await contentsOf(store, "orders")],
    ["last", await contentsOf(store, "last")],
  ]);
}

Deno.test("a store with broken pages is repaired: what is whole is there, and nothing else", async () => {
  using scratch = new Scratch();
  const { whole, stored } = await filled();
  const original = scratch.at("original");
  await makeStore(original, whole);
  assertEquals(await repairStreamStore(original), {
    streams: 2,
    messages: MESSAGES + 2,
    lost: [],
    damaged: undefined,
  });
  const random = new Random(3);
  let kept = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const folder = scratch.at(`damaged${round}`);
    const bytes = whole.slice();
    for (let i = random.int(1, 3); i > 0; i--) {
      const page = random.int(1, bytes.length / PAGE - 1);
      const from = random.pick([0, 0, 100, 3_000]);
      const filler = random.pick([0, 7, 255]);
      bytes.fill(filler, page * PAGE + from, (page + 1) * PAGE);
    }
    await makeStore(folder, bytes);
    const before = await checkStreamStore(folder);
    const { lost, damaged } = await repairStreamStore(folder);
    if (before.problems.length === 0) {
      assertEquals(damaged, undefined);
      continue;
    }
    assertEquals(await Deno.readFile(damaged!), bytes, "the damaged file is kept as it was");
    assertEquals((await checkStreamStore(folder)).problems, []);
    await using store = await openStreamStore(folder);
    for (const [name] of store.streams) {
      const own = stored.get(name);
      const all = own ?? new Map([...stored.values()].flatMap((each) => [...each]));
      for (const [seq, content] of await contentsOf(store, name)) {
        // What was dropped out of the middle may be there again, and that is told.
        const isTold = name === "last" || own === undefined || lost.length > 0;
        assert(all.get(seq) === content || isTold && content.startsWith("last"), `${name} ${seq}`);
        kept++;
      }
    }
    if (store.streams.has("orders")) {
      const { lastSeq } = store.streams.get("orders")!;
      await append(store, "orders.x", "new");
      assertEquals((await contentsOf(store, "orders")).get(lastSeq + 1), "new");
    }
  }
  assert(kept > ROUNDS * MESSAGES / 2, `${kept} messages were kept`);
});

Deno.test("what a start reads and finds broken is told as damage, with what helps", async () => {
  using scratch = new Scratch();
  const { whole } = await filled();
  const original = scratch.at("original");
  await makeStore(original, whole);
  using db = new DatabaseSync(`${original}/socktool.db`);
  const root = db.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = ?");
  for (const table of ["stream", "consumer", "doomed", "counter", "retained", "run_first"]) {
    const folder = scratch.at(table);
    const page = Number(root.get(table)!["page"]);
    await makeStore(folder, whole.slice().fill(0, (page - 1) * PAGE, page * PAGE));
    const error = await assertRejects(() => openStreamStore(folder), SqliteError);
    assertEquals([table, error.code], [table, "damaged"]);
    assertStringIncludes(error.message, `socktool stream repair --store ${folder}`);
  }
});

Deno.test("what only counters tell wrong is set right, and nothing is lost", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  const { whole, stored } = await filled();
  await makeStore(folder, whole);
  const db = new DatabaseSync(`${folder}/socktool.db`);
  db.exec("UPDATE stream SET count = 1, bytes = 1, next = 2 WHERE name = 'orders'");
  db.close();
  const { lost, messages } = await repairStreamStore(folder);
  assertEquals([lost, messages], [[], MESSAGES + 2]);
  await using store = await openStreamStore(folder);
  for (const [name, contents] of stored) assertEquals(await contentsOf(store, name), contents);
  assertEquals(store.takeRetained().map(({ topic }) => topic), ["kept"]);
  assertEquals((await store.consumers("orders")).map(({ unacked }) => unacked), [3]);
  await append(store, "orders.1", "again", "id 59");
  assertEquals(store.streams.get("orders")!.lastSeq, MESSAGES, "its id is remembered");
});

/** Rows that can be read, and what is lost with them. */
const BROKEN_ROWS: readonly (readonly [sql: string, lost: string, opens: boolean])[] = [
  ["UPDATE recent_id SET ids = substr(ids, 1, 20)", "message ids", true],
  ["UPDATE recent_id SET ids = '[[\"a\"]]'", "message ids", true],
  ["UPDATE consumer SET settings = substr(settings, 2)", "consumers", false],
  ["UPDATE consumer SET entries = substr(entries, 2)", "consumers", false],
  ["UPDATE retained SET frame = substr(frame, 1, 30)", "retained publications", true],
];

Deno.test("rows that can be read and are not as written are told, and left out", async () => {
  using scratch = new Scratch();
  const { whole } = await filled();
  for (const [i, [sql, what, opens]] of BROKEN_ROWS.entries()) {
    const folder = scratch.at(`${i}`);
    await makeStore(folder, whole);
    const db = new DatabaseSync(`${folder}/socktool.db`);
    db.exec(sql);
    db.close();
    const { problems } = await checkStreamStore(folder);
    assert(problems.length > 0 && problems.every((each) => each.startsWith(`${what}: `)), sql);
    if (!opens) {
      const error = await assertRejects(() => openStreamStore(folder), SqliteError);
      assertEquals(error.code, "damaged", sql);
    }
    const { lost } = await repairStreamStore(folder);
    assert(lost.length > 0 && lost.every((each) => each.startsWith(what)), `${sql}: ${lost}`);
    assertEquals((await checkStreamStore(folder)).problems, [], sql);
    await using store = await openStreamStore(folder);
    await append(store, "orders.x", "new", "new id");
    assertEquals(store.streams.get("orders")!.lastSeq, MESSAGES + 1, sql);
  }
});

Deno.test("a store that was cut off is repaired as far as it goes", async () => {
  using scratch = new Scratch();
  const { whole, stored } = await filled();
  const orders = stored.get("orders")!;
  const folder = scratch.at("cut");
  const bytes = whole.slice(0, Math.floor(0.6 * whole.length));
  await makeStore(folder, bytes);
  await assertRejects(() => openStreamStore(folder), SqliteError, "stream repair --store");
  const { lost, damaged } = await repairStreamStore(folder);
  assert(lost.length > 0);
  assertEquals(await Deno.readFile(damaged!), bytes, "the damaged file is kept as it was");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert(!names.some((name) => /readable|repaired/.test(name)), names.join());
  assertEquals((await checkStreamStore(folder)).problems, []);
  await using store = await openStreamStore(folder);
  const kept = await contentsOf(store, "orders");
  for (const [seq, content] of kept) assertEquals(content, orders.get(seq));
  assert(kept.size > 0.3 * MESSAGES, `${kept.size}`);
});

Deno.test("a store of which nothing can be read is left as it is", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  const before = (await filled()).whole.slice().fill(7, 20, PAGE);
  await makeStore(folder, before);
  const error = await assertRejects(() => repairStreamStore(folder), SqliteError);
  assert(["damaged", "not-a-database"].includes(error.code), error.code);
  assertEquals(await Deno.readFile(`${folder}/socktool.db`), before);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort()[0], "socktool.db");
  await assertRejects(() => repairStreamStore(scratch.at("nothing")), SqliteError, "there is none");
});

/** The files of a folder, and what is in them. */
function contentOf(folder: string): Map<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return new Map(names.map((name) => [name, Deno.readFileSync(`${folder}/${name}`).toBase64()]));
}

Deno.test("a check, a repair or a backup that is ended leaves the store as it was, and no other file", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  await makeStore(folder, (await filled()).whole);
  const db = new DatabaseSync(`${folder}/socktool.db`);
  db.exec("UPDATE stream SET count = 1 WHERE name = 'orders'");
  db.close();
  const before = contentOf(folder);
  /** Ends it when it tells of its n-th step. What takes long is told of several times. */
  const endedAt = async (care: typeof checkStreamStore | typeof repairStreamStore, n: number) => {
    const ending = new AbortController();
    const steps: string[] = [];
    const onProgress = ({ step }: { readonly step: string }) => {
      if (step !== steps.at(-1)) steps.push(step);
      if (steps.length === n) ending.abort(new Error("ended"));
    };
    await assertRejects(() => care(folder, { signal: ending.signal, onProgress }), Error, "ended");
    return steps.at(-1);
  };
  assertEquals(await endedAt(checkStreamStore, 1), "pages");
  const steps = [];
  for (let at = 1; at <= 5; at++) steps.push(await endedAt(repairStreamStore, at));
  assertEquals(steps, ["pages", "messages", "copying", "pages", "messages"]);
  const reader = new StoreReader();
  await reader.open(`${folder}/socktool.db`, 65_536);
  const ending = new AbortController();
  const copying = reader.backup(scratch.at("copy.db"), false, ending.signal);
  ending.abort(new Error("ended"));
  await assertRejects(() => copying, Error, "ended");
  await reader.close();
  for (const beside of ["-shm", "-wal"]) {
    await Deno.remove(`${folder}/socktool.db${beside}`).catch(() => {});
  }
  assertEquals(contentOf(folder), before);
  assertEquals([...Deno.readDirSync(scratch.at("."))].map(({ name }) => name), ["store"]);
  assertEquals((await repairStreamStore(folder)).lost, []);
});
