/** Message ids are remembered for their window, however many there are, and no longer. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { MessageIds } from "../../../../lib/pubsub/broker/streams/sqlite/message_ids.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { Statements } from "../../../../lib/pubsub/broker/streams/sqlite/statements.ts";
import {
  insertStream,
  type StreamRecord,
} from "../../../../lib/pubsub/broker/streams/sqlite/stream_record.ts";
import { Random } from "../../../soak/random.ts";
import { soakSize } from "../../../support/soak_size.ts";
import { UNLIMITED } from "./support.ts";

const RUNS = soakSize(3, 10);
const STEPS = 120;
/** All ids are looked up after so many steps, and when they were read: it takes most of the time. */
const LOOK_EVERY = 8;
const DEDUP_MS = 1_000;
/** So few that ids have to be moved to the table. */
const MAX_RECENT = 150;

interface Known {
  readonly seq: number;
  readonly time: number;
}

Deno.test("message ids are found within their window, through moves, failures and restarts", () => {
  let moved = 0;
  for (let seed = 1; seed <= RUNS; seed++) moved += run(new Random(seed));
  assertEquals(moved > 0, true, "some were moved");
});

/** @returns how many ids were seen in the table to which they are moved. */
function run(random: Random): number {
  using db = new DatabaseSync(":memory:");
  for (const sql of STREAM_SCHEMA.migrations) db.exec(sql);
  const statements = new Statements(db);
  const streams = ["a", "b"].map((name) =>
    insertStream(statements, name, { ...UNLIMITED, dedupMs: DEDUP_MS })
  );
  const known = new Map(streams.map((stream) => [stream, new Map<string, Known>()]));
  let ids = new MessageIds(statements, MAX_RECENT);
  let now = 1_000_000;
  let moved = 0;
  for (let step = 0; step < STEPS; step++) {
    now += random.pick([0, 1, 20, 150, 400]);
    const added = new Map<StreamRecord, Map<string, Known>>();
    db.exec("BEGIN");
    for (const stream of streams) {
      const mine = new Map(known.get(stream)!);
      added.set(stream, mine);
      const { next, time } = stream;
      for (let i = random.int(0, 60); i > 0; i--) {
        const id = random.next() < 0.3 ? `${random.int(0, 30)}` : `n${step}.${i}`;
        assertEquals(ids.find(stream, id, now), within(mine.get(id), now));
        if (within(mine.get(id), now) !== undefined) continue;
        ids.add(stream, id, stream.next, now);
        mine.set(id, { seq: stream.next++, time: now });
        stream.time = now;
      }
      ids.tidy(stream, now);
      if (stream.next === next) stream.time = time;
    }
    // Of what is not in the log, only the process knows.
    const isSaved = random.next() < 0.5;
    if (isSaved) { for (const stream of streams) ids.save(stream); }
    const isLost = random.next() < 0.2;
    if (isLost) {
      db.exec("ROLLBACK");
      ids.rollBack();
    } else {
      db.exec("COMMIT");
      ids.committed();
      for (const [stream, mine] of added) known.set(stream, mine);
    }
    const isRead = isSaved && !isLost && random.next() < 0.2;
    if (isRead) {
      ids = new MessageIds(statements, MAX_RECENT);
      // Before it is asked for one, it removes what is old, and learns of those that nobody wrote.
      for (const stream of streams) {
        if (random.next() < 0.5) ids.tidy(stream, now);
        if (random.next() < 0.5) continue;
        const seq = stream.next++;
        ids.add(stream, `r${step}`, seq, now);
        known.get(stream)!.set(`r${step}`, { seq, time: now });
        stream.time = now;
      }
      ids.committed();
    }
    for (const stream of isRead || step % LOOK_EVERY === 0 ? streams : []) {
      const mine = known.get(stream)!;
      for (const [id, entry] of mine) {
        assertEquals(ids.find(stream, id, now), within(entry, now), id);
        // Once is enough for what is out of the window.
        if (within(entry, now) === undefined) mine.delete(id);
      }
      assertEquals(ids.find(stream, "unknown", now), undefined);
    }
    moved += statements.row<[number]>("SELECT count(*) FROM message_id")![0];
  }
  for (const stream of streams) ids.save(stream);
  ids.committed();
  // In the end nothing is left of what is out of the window.
  now += 3 * DEDUP_MS;
  for (const stream of streams) {
    for (let i = 0; i < 100 && ids.tidy(stream, now); i++);
    ids.tidy(stream, now);
  }
  const left = ["recent_id", "message_id"].map((table) =>
    statements.row<[number]>(`SELECT count(*) FROM ${table}`)![0]
  );
  assertEquals(left, [0, 0]);
  return moved;
}

function within(known: Known | undefined, now: number): number | undefined {
  return known && now - known.time < DEDUP_MS ? known.seq : undefined;
}
