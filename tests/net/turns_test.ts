import { assert, assertEquals } from "@std/assert";
import { type Address, listen } from "../../lib/net/mod.ts";
import { Connection } from "../../lib/net/connection.ts";
import { Turns } from "../../lib/net/turns.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { deadline, until } from "../support/deadline.ts";

const LOOPBACK = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;

async function connectTo({ address }: { address: Address }): Promise<Deno.TcpConn> {
  assert(address.transport === "tcp");
  return await Deno.connect({ hostname: address.hostname, port: address.port });
}

Deno.test("a turn is given now and then, to those who wait one after the other", async () => {
  const turns = new Turns();
  const order: string[] = [];
  const wait = async (name: string, isUrgent = false) => {
    const turn = turns.take(isUrgent);
    assert(turn);
    await turn;
    order.push(name);
  };
  await deadline(Promise.all([wait("first"), wait("second"), wait("urgent", true)]));
  assertEquals(order, ["urgent", "first", "second"]);
  assertEquals(turns.take(), undefined);
  await until(() => turns.take() !== undefined, "the next turn");
  await turns.close();
});

Deno.test("very many who do much keep others waiting no longer than a few", async () => {
  const turns = new Turns();
  let sinceByte = 0;
  let most = 0;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  let over = false;
  // Somebody else: a byte goes to and fro, each time all sockets are polled.
  const other = (async () => {
    const byte = new Uint8Array(1);
    while (!over) {
      await near.write(byte);
      await far.read(byte);
      most = Math.max(most, sinceByte);
      sinceByte = 0;
    }
  })();
  await Promise.all(Array.from({ length: 100 }, async () => {
    for (let i = 0; i < 3; i++) {
      await turns.take();
      for (const end = performance.now() + 1; performance.now() < end;);
      sinceByte++;
    }
  }));
  over = true;
  await other;
  await turns.close();
  near.close();
  far.close();
  // Without turns it would be all 300; on a busy machine a byte may take a while.
  assert(most <= 60, `${most} ms of work between two bytes`);
});

Deno.test("readers go on before long work, unless they have to make room for a large frame", async () => {
  const turns = new Turns();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const order: string[] = [];
  const wait = async (name: string, turn: Promise<void> | undefined) => {
    assert(turn, name);
    await turn;
    order.push(name);
  };
  const opened: Deno.Conn[] = [];
  const received = async (bytes: number, isHandled: boolean) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    opened.push(conn);
    const connection = new Connection(conn, 1_000, turns);
    for (let left = bytes; left > 0;) {
      const count = Math.min(left, connection.input.free().length);
      connection.received(count);
      if (isHandled) connection.input.consume(count);
      left -= count;
    }
    return connection;
  };
  const [small, large] = [await received(300_000, true), await received(300_000, false)];
  await deadline(Promise.all([
    wait("large", large.turn()),
    wait("work", turns.take()),
    wait("small", small.turn()),
  ]));
  assertEquals(order, ["small", "large", "work"]);
  await turns.close();
  for (const conn of opened) conn.close();
});

Deno.test("turns end while one is under way", async () => {
  const turns = new Turns();
  const turn = turns.take();
  await deadline(turns.close());
  await deadline(turn!);
  assertEquals(turns.take(), undefined);
});

Deno.test({
  name:
    "without the permission for a socket of their own, turns go on by a timer, and nobody is asked",
  permissions: { net: false },
  async fn() {
    const turns = new Turns();
    for (let given = 0; given < 2;) {
      const turn = turns.take();
      if (turn) given++;
      await deadline(turn ?? new Promise((resolve) => setTimeout(resolve, 1)));
    }
    await turns.close();
  },
});

Deno.test("others are answered while clients flood a server", async () => {
  await using server = serveEcho(await listen(LOOPBACK));
  const flooders = await Promise.all([1, 2, 3].map(() => connectTo(server)));
  const flood = new Uint8Array(1_048_576);
  const floods = flooders.flatMap((conn) => [
    (async () => {
      while (await conn.write(flood) > 0);
    })(),
    (async () => {
      const seen = new Uint8Array(1_048_576);
      while (await conn.read(seen) !== null);
    })(),
  ]);
  const quiet = await connectTo(server);
  for (let i = 0; i < 20; i++) {
    await quiet.write(new TextEncoder().encode("here?"));
    assertEquals(await deadline(quiet.read(new Uint8Array(10))), 5);
  }
  for (const conn of [quiet, ...flooders]) conn.close();
  await Promise.allSettled(floods);
});
