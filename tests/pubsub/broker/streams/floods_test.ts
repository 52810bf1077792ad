/** What a client asks of a store and does not wait for is bounded, and so is what is read for it. */
import { assert, assertEquals } from "@std/assert";
import { ByteBuffer } from "../../../../lib/frame/mod.ts";
import { newStreamSettings, openStreamStore, StreamError } from "../../../../lib/pubsub/mod.ts";
import { ConnectionStreams } from "../../../../lib/pubsub/broker/streams/connection_streams.ts";
import { selectedNames } from "../../../../lib/pubsub/broker/streams/consumer_settings.ts";
import type {
  StreamReader,
  StreamStore,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import { deadline } from "../../../support/deadline.ts";
import { Scratch } from "../../../support/scratch.ts";
import { frameOf, publication } from "./support.ts";

Deno.test("acknowledgements that nobody waits for make publishers wait, and purges are refused", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(`${scratch.path}/store`);
  await store.create("s", newStreamSettings(["s.>"]));
  const init = { stream: "s", consumer: "c", owner: 1, sid: 1, settings: {}, prefetch: undefined };
  await store.join({ ...init, start: { from: "all" }, runs: true });
  const deliveries = Array.from({ length: 900 }, (_, i) => i + 1);
  const settlement = { stream: "s", consumer: "c", owner: 1, deliveries, durable: false };
  const stale: Promise<unknown>[] = [];
  while (store.room(1, 0) === undefined) {
    assert(stale.length < 1_000, "any number of them may wait");
    const settling = store.settle({
      ...settlement,
      kind: "ack",
      delayMs: undefined,
      reason: undefined,
    });
    stale.push(settling.catch((error) => (error as StreamError).code));
  }
  await deadline(store.room(1, 0)!, "room for more");
  assertEquals([...new Set(await Promise.all(stale))], ["stale-ack"]);
  const purges = Array.from({ length: 150 }, () => store.purge("s", undefined, "s.*.x"));
  const outcomes = await Promise.all(
    purges.map((purge) => purge.then(() => "done", (error) => (error as StreamError).code)),
  );
  assertEquals([...new Set(outcomes)].sort(), ["done", "unavailable"]);
  await store.purge("s", undefined, undefined);
});

Deno.test("what takes longer to store or to settle than its bytes say makes publishers wait sooner", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(`${scratch.path}/store`);
  await store.create("plain", newStreamSettings(["plain.>"]));
  await store.create("listed", { ...newStreamSettings(["listed.>"]), maxPerTopic: 10 });
  await store.create("acked", { ...newStreamSettings(["acked.>"]), keep: "until-acked" });
  const settlement = { owner: 1, durable: false, delayMs: undefined, reason: undefined };
  const deliveries = Array.from({ length: 900 }, (_, i) => i + 1);
  const settle = (stream: string) =>
    void store.settle({ ...settlement, kind: "ack", stream, consumer: "c", deliveries })
      .catch(() => {});
  const frames = new Map(
    ["plain", "listed"].map((stream) => [stream, frameOf(publication(`${stream}.a`, ""))]),
  );
  const append = (stream: string) => store.append(stream, frames.get(stream)!, 1);
  const until = async (act: (stream: string) => void, stream: string) => {
    let count = 0;
    for (; store.room(1, 0) === undefined; count++) act(stream);
    await deadline(store.room(1, 0)!, "room for more");
    return count;
  };
  const [plain, listed] = [await until(append, "plain"), await until(append, "listed")];
  assert(listed < plain / 10, `${listed} and ${plain}`);
  const [settled, dropped] = [await until(settle, "plain"), await until(settle, "acked")];
  assert(dropped < settled / 10, `${dropped} and ${settled}`);
});

Deno.test("nothing more is read for a client that has gone, until its turn comes", async () => {
  let reads = 0;
  let closed = false;
  const relief = Promise.withResolvers<void>();
  const outbox = {
    maxContentBytes: Infinity,
    congested: true,
    relief: () => closed ? undefined : relief.promise,
    get closed() {
      return closed;
    },
    batch() {},
    control() {},
  };
  const reader: StreamReader = {
    next: 1,
    caughtUp: false,
    read: () => Promise.resolve({ bytes: new ByteBuffer(1).view(), count: ++reads, missed: 0 }),
    close() {},
  };
  const host = { streams: undefined, outbox, id: 1, refuse() {} };
  const streams = new ConnectionStreams(host as never, {} as StreamStore, () => {});
  assertEquals(streams.reserve(1), undefined);
  streams.start(1, { kind: "reader", stream: "s", reader, refusal: () => undefined });
  closed = true;
  relief.resolve();
  for (let i = 0; i < 20; i++) await undefined;
  assertEquals(reads, 0);
  streams.stopAll(true);
});

Deno.test("consumers are told in the order of their names, from one on, and so many", () => {
  const names = ["d", "a", "c", "b"];
  assertEquals(selectedNames(names, {}), ["a", "b", "c", "d"]);
  assertEquals(selectedNames(names, { after: "a", most: 2 }), ["b", "c"]);
  assertEquals(selectedNames(names, { only: "c" }), ["c"]);
  assertEquals(selectedNames(names, { only: "x" }), []);
});

Deno.test("what is stored overtakes many who make and change streams, and they all have their turn", async () => {
  using scratch = new Scratch();
  await using store = await openStreamStore(`${scratch.path}/store`);
  await store.create("orders", newStreamSettings(["orders.>"]));
  let made = 0;
  const making = Array.from(
    { length: 100 },
    (_, i) => store.create(`s${i}`, newStreamSettings([`s${i}.>`])).then(() => ++made),
  );
  const stored = Promise.withResolvers<number>();
  store.append("orders", frameOf(publication("orders.a", "")), 1, () => stored.resolve(made));
  const before = await deadline(stored.promise, "a confirmation");
  assert(before < 50, `${before} streams were made before`);
  assertEquals((await deadline(Promise.all(making), "the streams")).length, 100);
});
