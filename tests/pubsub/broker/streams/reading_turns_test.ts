/** Whoever reads streams takes turns with the others that do. */
import { assert, assertEquals } from "@std/assert";
import { newStreamSettings, openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { DATABASE_NAME } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import {
  type ReadTurn,
  StoreReader,
} from "../../../../lib/pubsub/broker/streams/sqlite/store_reader.ts";
import { deadline } from "../../../support/deadline.ts";
import { Scratch } from "../../../support/scratch.ts";
import { frameOf, publication } from "./support.ts";

const MESSAGES = 3_000;
const CACHE_BYTES = 1_000_000;

Deno.test("what many look for in vain, or begin to read, delays nobody who has less to read", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  await using store = await openStreamStore(folder);
  await store.create("big", { ...newStreamSettings(["big.>"]), maxPerTopic: 1 });
  const stored = Promise.withResolvers<unknown>();
  for (let i = 1; i <= MESSAGES; i++) {
    const frame = frameOf(publication(`big.t${i}`, ""));
    store.append("big", frame, 1, i === MESSAGES ? stored.resolve : undefined);
  }
  await deadline(stored.promise, "all to be stored");
  const reader = new StoreReader();
  await reader.open(`${folder}/${DATABASE_NAME}`, CACHE_BYTES);
  const order: string[] = [];
  const read = (who: string, next: number, turn: ReadTurn) => {
    const topic = "big.*.none";
    const place = { stream: "big", sid: 1, runs: false, topic, next, lastUntil: 0 };
    const reading = reader.read(place, turn);
    return { ...reading, part: reading.part.then((part) => (order.push(who), part)) };
  };
  const searching = Array.from(
    { length: 100 },
    () => read("searching", 1, { owner: 1, isShort: false }),
  );
  const other = read("other", 1, { owner: 2, isShort: false });
  const short = read("short", MESSAGES, { owner: 3, isShort: true });
  const parts = await deadline(Promise.all([other.part, short.part]), "their turns");
  for (const part of parts) assert(part!.next > 1 && part!.count === 0, `${part!.next}`);
  // Two are handed over at once, and of those that wait it is the turn of one kind after the other.
  assertEquals(order.filter((who) => who !== "searching"), ["short", "other"]);
  assert(order.length <= 8, `${order.length} were served before`);
  for (const { giveUp } of searching) giveUp();
  const left = await deadline(Promise.all(searching.map(({ part }) => part)), "an end");
  assert(left.filter((part) => part!.next === 1).length > 80, "they were read for nobody");
  await reader.close();
});

Deno.test("a few parts are read in advance, and others once one of these is given back", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  await using store = await openStreamStore(folder);
  await store.create("one", newStreamSettings(["one"]));
  const stored = Promise.withResolvers<unknown>();
  store.append("one", frameOf(publication("one", "x")), 1, stored.resolve);
  await deadline(stored.promise, "it to be stored");
  const reader = new StoreReader();
  await reader.open(`${folder}/${DATABASE_NAME}`, CACHE_BYTES);
  const prepare = (next: number) => {
    const place = { stream: "one", sid: 1, runs: false, topic: undefined, next, lastUntil: 0 };
    return reader.prepare(place, { owner: 1, isShort: true });
  };
  const readings = Array.from({ length: 100 }, () => prepare(1)).filter((each) => each);
  assertEquals(readings.length, 16);
  for (const reading of readings) {
    const part = await deadline(reading!.part, "a part");
    assertEquals(prepare(1), undefined);
    reader.giveBack(part!.bytes);
    const next = prepare(1)!;
    reader.giveBack((await deadline(next.part, "the next"))!.bytes);
    assert(prepare(2) !== undefined, "no place became free");
  }
  await reader.close();
});
