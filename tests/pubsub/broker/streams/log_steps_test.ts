/** The log of commits goes into the database in small steps, and what fails there is told. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newStreamSettings, openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { LogWriter } from "../../../../lib/pubsub/broker/streams/sqlite/log_writer.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { FileGuard, openWriter } from "../../../../lib/sqlite/mod.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { Scratch } from "../../../support/scratch.ts";
import { appendOrder, frameOf, publication, UNLIMITED } from "./support.ts";

const LARGE = publication("orders.a", "x".repeat(600_000));

Deno.test("the log stays short while a stream is written flat out", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(scratch.at("store"));
  await store.create("orders", newStreamSettings(["orders.>"]));
  let written = 0;
  while (written < 20_000_000) {
    const stored = Promise.withResolvers<unknown>();
    store.append("orders", frameOf(LARGE), 1, stored.resolve);
    await stored.promise;
    written += LARGE.length;
  }
  const { size } = await Deno.stat(scratch.at("store/socktool.db-wal"));
  assert(size < 4_000_000, `${size} bytes`);
});

/** SQLite's codes for a disk that cannot sync, and one that is full. */
const FAILURES = [[1_034, "storage-failed"], [13, undefined]] as const;

for (const [errcode, code] of FAILURES) {
  Deno.test(`where a step fails with ${errcode}, ${code ?? "nothing else does"}`, () => {
    using db = new DatabaseSync(":memory:");
    migrate(db, ":memory:", STREAM_SCHEMA);
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      const statement = prepare(sql);
      if (sql.includes("wal_checkpoint")) {
        statement.get = () => {
          throw Object.assign(new Error("the disk"), { errcode });
        };
      }
      return statement;
    };
    const engine = new StreamEngine(db);
    engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
    const append = () => engine.perform([appendOrder("orders", LARGE)], 2);
    assertEquals(append().results, [{ value: [1] }]);
    assertEquals(engine.tidy(2, true), undefined, "there is not enough for a step");
    assertEquals(append().results, [{ value: [2] }]);
    assertEquals(engine.tidy(2, true)?.failure?.code, code);
    const [result] = append().results;
    assertEquals("failure" in result! ? result.failure.code : undefined, code);
  });
}

/** A store without threads but the one that writes the log back. */
class WithLogWriter implements Disposable {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly writer: LogWriter;
  readonly #engine: StreamEngine;

  /** @param wrongPath Has the log looked for elsewhere. */
  constructor(scratch: Scratch, wrongPath?: string) {
    this.path = scratch.at("socktool.db");
    this.db = openWriter(this.path, { schema: STREAM_SCHEMA });
    const { identity } = new FileGuard(this.path);
    this.writer = new LogWriter(wrongPath ?? this.path, identity);
    this.writer.start();
    assert(this.writer.isOver(10_000), "the thread is there");
    this.#engine = new StreamEngine(this.db, { logWriter: this.writer });
    this.#engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  }

  append() {
    const { results: [result] } = this.#engine.perform([appendOrder("orders", LARGE)], 2);
    return result! as { failure?: { code: string; message: string } };
  }

  tidy() {
    return this.#engine.tidy(2, true);
  }

  sizeOf(end: string): number {
    return Deno.statSync(this.path + end).size;
  }

  [Symbol.dispose](): void {
    this.#engine.finish(2);
    this.db.close();
  }
}

Deno.test("another thread writes the log back, which begins again after each step", () => {
  using scratch = new Scratch();
  {
    using store = new WithLogWriter(scratch);
    for (let steps = 1; steps <= 3; steps++) {
      store.append();
      assertEquals(store.tidy(), undefined);
      store.append();
      assert(store.sizeOf("") < (2 * steps - 1) * LARGE.length, "there is not enough for a step");
      assertEquals(store.tidy(), undefined);
      assert(store.writer.isOver(10_000), "the step is over");
      assert(store.sizeOf("") > 2 * steps * LARGE.length, "the database has all");
      assertEquals(store.tidy(), undefined);
    }
    assert(store.sizeOf("-wal") < 3 * LARGE.length, `${store.sizeOf("-wal")} bytes`);
  }
  const names = [...Deno.readDirSync(scratch.at("."))].map(({ name }) => name);
  assertEquals(names, ["socktool.db"], "the thread has closed its connection");
});

Deno.test("until the other thread is there, nobody waits for it", () => {
  using scratch = new Scratch();
  const path = scratch.at("socktool.db");
  using db = openWriter(path, { schema: STREAM_SCHEMA });
  const begin = () => assert(false, "it is not there");
  const logWriter = { isOver: () => false, begin, close() {} } as unknown as LogWriter;
  const engine = new StreamEngine(db, { logWriter });
  engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  for (let i = 0; i < 4; i++) {
    engine.perform([appendOrder("orders", LARGE)], 2);
    assertEquals(engine.tidy(2, true), undefined);
  }
  assert(Deno.statSync(path).size > 3 * LARGE.length, "this thread has written the log back");
  engine.finish(2);
});

Deno.test("a thread that has never begun is not waited for at the end", () => {
  using scratch = new Scratch();
  const path = scratch.at("socktool.db");
  using _db = openWriter(path, { schema: STREAM_SCHEMA });
  const writer = new LogWriter(path, new FileGuard(path).identity);
  const { Worker } = globalThis;
  globalThis.Worker = class extends EventTarget {
    postMessage() {}
    terminate() {}
  } as unknown as typeof Worker;
  writer.start();
  globalThis.Worker = Worker;
  const begin = performance.now();
  writer.close();
  // It would be given up after 10 seconds.
  assert(performance.now() - begin < 9_000, "it was waited for");
});

Deno.test("where commits do not leave the other thread the time, the log begins again all the same", () => {
  using scratch = new Scratch();
  using store = new WithLogWriter(scratch);
  for (let i = 0; i < 12; i++) {
    store.append();
    assert(store.writer.isOver(10_000), "no step is under way");
    assertEquals(store.tidy(), undefined);
  }
  assert(store.sizeOf("-wal") < 7 * LARGE.length, `${store.sizeOf("-wal")} bytes`);
});

Deno.test("what fails in the other thread ends the store; a log that it cannot open does not", () => {
  using scratch = new Scratch();
  {
    using store = new WithLogWriter(scratch, scratch.at("none/socktool.db"));
    for (let i = 0; i < 8; i++) {
      store.append();
      assertEquals(store.tidy(), undefined);
    }
    assert(store.sizeOf("") > 3 * LARGE.length, "this thread has written the log back");
  }
  Deno.removeSync(scratch.at("socktool.db"));
  using store = new WithLogWriter(scratch);
  Deno.renameSync(store.path, scratch.at("moved.db"));
  Deno.copyFileSync(scratch.at("moved.db"), store.path);
  store.append();
  store.append();
  assertEquals(store.tidy(), undefined);
  let failure = store.tidy()?.failure;
  for (const end = Date.now() + 10_000; failure === undefined && Date.now() < end;) {
    failure = store.tidy()?.failure;
  }
  assertEquals(failure?.code, "storage-failed");
  assertStringIncludes(failure!.message, "was deleted or replaced");
  assertEquals(store.append().failure?.code, "storage-failed");
});
