import { assert, assertEquals } from "@std/assert";
import type { Outbox } from "../../../../lib/pubsub/broker/delivery/outbox.ts";
import { Pace } from "../../../../lib/pubsub/broker/delivery/pace.ts";
import { SendList } from "../../../../lib/pubsub/broker/delivery/send_list.ts";

/** An outbox that takes 0.1 ms to flush, and notes that it was. */
function outbox(name: string, flushed: string[]): Outbox {
  const flush = () => {
    for (const end = performance.now() + 0.1; performance.now() < end;);
    flushed.push(name);
  };
  return { flush, congested: false } as unknown as Outbox;
}

Deno.test("very many receivers are flushed in steps, and others do not wait for them", async () => {
  const flushed: string[] = [];
  let pauses = 0;
  const list: SendList = new SendList(100, Infinity, () => {
    if (++pauses === 1) {
      // Somebody else is served, whose answer goes out at once.
      list.filled(outbox("other", flushed));
      assertEquals(list.flush(), undefined);
    }
    return Promise.resolve();
  });
  for (let i = 0; i < 1_000; i++) list.filled(outbox(String(i), flushed));
  const flushing = list.flush();
  assert(flushing !== undefined && flushed.length < 500, `${flushed.length} in one go`);
  await flushing;
  assert(pauses > 10, `${pauses} pauses`);
  assertEquals(flushed.length, 1_001);
  assert(flushed.indexOf("other") < 500);
  assertEquals(
    flushed.filter((name) => name !== "other").map(Number).every((n, i) => n === i),
    true,
  );
});

Deno.test("what is put off is sent by who has put it off, and by nobody else", async () => {
  const flushed: string[] = [];
  const list = new SendList(100, Infinity, () => Promise.resolve());
  const enter = (...names: string[]) => {
    for (const name of names) list.filled(outbox(name, flushed));
  };
  enter("1", "2");
  list.putOff();
  enter("other");
  assertEquals(list.flush(), undefined);
  assertEquals(flushed, ["other"]);
  enter("3");
  list.putOff();
  enter("4");
  assertEquals(list.flushAll(), undefined);
  assertEquals(flushed, ["other", "1", "2", "3", "4"]);
  assertEquals(list.flushAll(), undefined);
  for (let i = 0; i < 300; i++) enter(String(i));
  list.putOff();
  assertEquals(list.flush(), undefined);
  assertEquals(flushed.length, 5);
  await list.flushAll();
  assertEquals(flushed.length, 305);
});

Deno.test("few receivers are flushed at once", () => {
  const flushed: string[] = [];
  const list = new SendList(100, Infinity, () => Promise.reject(new Error("no pause is due")));
  for (let i = 0; i < 200; i++) list.filled(outbox(String(i), flushed));
  assertEquals(list.flush(), undefined);
  assertEquals(flushed.length, 200);
});

Deno.test("of very many groups the members of some are looked at, however many are behind", async () => {
  let looks = 0;
  const receiver = {
    get congested() {
      looks++;
      return true;
    },
    writtenBytes: 0,
    toldBytes: 0,
  };
  const member = { receiver, slow: "drop-oldest" };
  const members = Array.from({ length: 64 }, () => member);
  const groups = Array.from({ length: 5_000 }, () => ({ members, next: 0 }));
  const list = new SendList(100, Infinity, () => undefined);
  list.backlogs.add({ claimedBytes: 0, shrinkTo() {} });
  const route = { subscriptions: [], groups, bytes: 0, overlaps: 0 };
  const room = list.room(route as never, new Pace(), {} as never);
  list.relieved(receiver as never);
  await room;
  assert(looks > 0 && looks < 50_000, `${looks} looks`);
});
