import { assertEquals, assertRejects } from "@std/assert";
import { dial, listen } from "../../lib/net/mod.ts";
import { AcceptQueue } from "../../lib/net/accept_queue.ts";
import { deadline } from "../support/deadline.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

/** A connection of which nothing but its end is of interest. */
function connection() {
  const state = { isOpen: true, close: () => void (state.isOpen = false) };
  return state as typeof state & Deno.Conn;
}

Deno.test("each connection goes to one who waits, in order, or waits itself", async () => {
  const queue = new AcceptQueue();
  const [first, second, third] = [connection(), connection(), connection()];
  const accepting = [queue.accept(), queue.accept()];
  assertEquals([queue.isAwaited, queue.length], [true, 0]);
  for (const each of [first, second, third]) queue.add(each);
  assertEquals([queue.isAwaited, queue.length], [false, 1]);
  assertEquals(await Promise.all([...accepting, queue.accept()]), [first, second, third]);
});

Deno.test("a failure goes to one who waits, or who comes next, behind what has come", async () => {
  const queue = new AcceptQueue();
  const [one, other] = [queue.accept(), queue.accept()];
  queue.fail(new Error("first"));
  await assertRejects(() => one, Error, "first");
  const conn = connection();
  queue.add(conn);
  assertEquals(await other, conn);
  queue.fail(new Error("second"));
  queue.add(conn);
  assertEquals(await queue.accept(), conn);
  await assertRejects(() => queue.accept(), Error, "second");
});

Deno.test("a queue that is closed keeps nobody waiting and no connection open", async () => {
  const full = new AcceptQueue();
  const [early, late] = [connection(), connection()];
  full.add(early);
  full.fail(new Error("never told"));
  full.close();
  full.add(late);
  assertEquals([early.isOpen, late.isOpen], [false, false]);
  await assertRejects(() => full.accept(), Deno.errors.BadResource);
  const empty = new AcceptQueue();
  const waiting = [empty.accept(), empty.accept()];
  empty.close();
  for (const each of waiting) await assertRejects(() => each, Deno.errors.BadResource);
});

Deno.test("two who accept at the same time get a connection with TLS each", async () => {
  using listener = await listen("127.0.0.1:0", { tls: SERVER_TLS });
  const accepting = [listener.accept(), listener.accept()];
  const clients = await Promise.all(
    accepting.map(() => dial(listener.address, { tls: { caCerts: [CA] } })),
  );
  const accepted = await deadline(Promise.all(accepting));
  assertEquals(
    new Set(accepted.map(({ remoteAddr }) => (remoteAddr as Deno.NetAddr).port)).size,
    2,
  );
  for (const each of [...clients, ...accepted]) each.close();
});
