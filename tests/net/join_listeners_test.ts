import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial, joinListeners } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { collectGarbage } from "../support/garbage.ts";
import { listenLocally } from "../support/peers.ts";

Deno.test("two listeners are one: whoever comes to either is accepted, each once", async () => {
  const [first, second] = [await listenLocally(), await listenLocally()];
  using joined = joinListeners(first, second);
  assertEquals([joined.address, joined.secure], [first.address, false]);
  // Several wait at once, and all come to one of the two, then to both.
  for (const addresses of [[first, first, first], [second, second], [first, second, first]]) {
    const accepting = addresses.map(() => deadline(joined.accept()));
    const dialled = await Promise.all(addresses.map(({ address }) => dial(address)));
    const accepted = await Promise.all(accepting);
    const ports = (conns: Deno.Conn[], side: "localAddr" | "remoteAddr") =>
      conns.map((conn) => (conn[side] as Deno.NetAddr).port).sort();
    assertEquals(ports(accepted, "remoteAddr"), ports(dialled, "localAddr"));
    for (const conn of [...dialled, ...accepted]) conn.close();
  }
  const waiting = joined.accept();
  joined.close();
  await assertRejects(() => deadline(waiting));
  await assertRejects(() => deadline(joined.accept()));
  for (const { address } of [first, second]) await assertRejects(() => dial(address));
});

Deno.test("a joined listener keeps nothing of those that came, while nobody comes to the other", async () => {
  let left = 20_000;
  const conn = { close() {} } as Deno.Conn;
  using never = await listenLocally();
  const one = {
    ...never,
    accept: () => left-- > 0 ? Promise.resolve(conn) : Promise.reject(new Error("no more")),
  };
  const { promise } = Promise.withResolvers<never>();
  using joined = joinListeners(one, { ...never, accept: () => promise });
  const used = () => {
    collectGarbage();
    return Deno.memoryUsage().heapUsed;
  };
  for (let i = 0; i < 1_000; i++) await joined.accept();
  const before = used();
  for (let i = 0; i < 19_000; i++) await joined.accept();
  // A race with the promise that does not come would keep something for each: 7 MB.
  const kept = used() - before;
  assert(kept < 1_000_000, `${kept}`);
});
