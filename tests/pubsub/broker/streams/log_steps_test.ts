/** The log of commits goes into the database in small steps, and what fails there is told. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { newStreamSettings, openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
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
    store.append("orders", frameOf(LARGE), stored.resolve);
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
    assertEquals(engine.writeBack(), undefined, "there is not enough for a step");
    assertEquals(append().results, [{ value: [2] }]);
    assertEquals(engine.writeBack()?.failure?.code, code);
    const [result] = append().results;
    assertEquals("failure" in result! ? result.failure.code : undefined, code);
  });
}
