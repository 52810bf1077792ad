import { assert, assertEquals } from "@std/assert";
import { type Address, listen } from "../../lib/net/mod.ts";
import { Connection } from "../../lib/net/connection.ts";
import { Turns } from "../../lib/net/turns.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { FakeClock } from "../support/fake_clock.ts";

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
  // On a busy machine, time may pass in between.
  await until(async () => {
    await turns.take();
    return turns.take() === undefined;
  }, "nobody needs another turn at once");
  await until(() => turns.take() !== undefined, "the next turn");
  await turns.close();
});

/** Keeps the thread busy. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** The timers that are set meanwhile, in milliseconds. */
function timersSetBy(call: () => void): (number | undefined)[] {
  const set: (number | undefined)[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = Object.assign((...given: Parameters<typeof setTimeout>) => {
    set.push(given[1]);
    return setTimeout(...given);
  }, setTimeout);
  try {
    call();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return set;
}

/** Whether the next turn comes by a timer of 0 ms. Else it comes by the byte, and sets no timer. */
async function goByTimer(turns: Turns): Promise<boolean> {
  for (;;) {
    let turn: Promise<void> | undefined;
    const set = timersSetBy(() => turn = turns.take());
    await deadline(turn ?? new Promise((resolve) => setTimeout(resolve, 1)));
    if (turn) {
      if (set.length > 0) assertEquals(set, [0]);
      return set.length > 0;
    }
  }
}

/** Has what the process connects go through `change`, until it is disposed. */
function changeConnect(change: (conn: Deno.TcpConn) => Deno.TcpConn): Disposable {
  const { connect } = Deno;
  const changed = async (options: Deno.ConnectOptions) => change(await connect(options));
  Object.assign(Deno, { connect: changed });
  return { [Symbol.dispose]: () => void Object.assign(Deno, { connect }) };
}

/** What the process does while a byte is on its way. */
const BUSY: Record<string, () => Promise<void> | void> = {
  ...Object.fromEntries([30, 60, 200].map((ms) => [`busy for ${ms} ms`, () => work(ms)])),
  async "busy for 20 ms again and again"() {
    for (let i = 0; i < 10; i++) {
      work(20);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  },
};

for (const [what, keepBusy] of Object.entries(BUSY)) {
  Deno.test(`a process that was ${what} goes on giving turns as often as before`, async () => {
    const turns = new Turns();
    await deadline(turns.take()!);
    work(5);
    const turn = turns.take();
    assert(turn);
    await keepBusy();
    await deadline(turn);
    assert(!await goByTimer(turns));
    await turns.close();
  });
}

/** What becomes of the loopback connection. */
const BROKEN: Record<string, (conn: Deno.TcpConn) => Deno.TcpConn> = {
  "loses what it is given": (conn) =>
    new Proxy(conn, {
      get: (target, name) => {
        if (name === "write") return (bytes: Uint8Array) => Promise.resolve(bytes.length);
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  "is closed at once": (conn) => {
    queueMicrotask(() => conn.close());
    return conn;
  },
};

for (const [how, change] of Object.entries(BROKEN)) {
  for (const busyMs of [0, 60]) {
    Deno.test(`a connection that ${how} is given up, also by a process that is busy for ${busyMs} ms`, async () => {
      const turns = new Turns();
      {
        using _ = changeConnect(change);
        await until(async () => {
          const turn = turns.take();
          work(busyMs);
          if (turn) await deadline(turn, "a turn all the same");
          return await goByTimer(turns);
        });
      }
      const { now } = performance;
      performance.now = () => now.call(performance) + 6_000;
      try {
        await until(async () => !await goByTimer(turns), "another connection is tried later");
      } finally {
        performance.now = now;
      }
      await turns.close();
    });
  }
}

Deno.test("a connection that breaks is given up at once, also while the process is busy", async () => {
  let near: Deno.Conn | undefined;
  using _ = changeConnect((conn) => near = conn as Deno.TcpConn);
  const turns = new Turns();
  await deadline(turns.take()!);
  assert(!await goByTimer(turns));
  work(5);
  near!.close();
  const turn = turns.take();
  work(60);
  await deadline(turn!);
  assert(await goByTimer(turns));
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
      // Begun before there is a byte, the read waits until the sockets are polled.
      const read = far.read(byte);
      await near.write(byte);
      await read;
      most = Math.max(most, sinceByte);
      sinceByte = 0;
    }
  })();
  await Promise.all(Array.from({ length: 100 }, async () => {
    await turns.take();
    work(1);
    sinceByte++;
  }));
  over = true;
  await other;
  await turns.close();
  near.close();
  far.close();
  // Without turns it would be all 100; on a busy machine a byte may take a while.
  assert(most <= 60, `${most} ms of work between two bytes`);
});

Deno.test("of very many connections that end at once a few are dealt with at a time, behind all work", async () => {
  const turns = new Turns();
  const order: string[] = [];
  const ends = Array.from({ length: 60 }, async (_, i) => {
    const turn = turns.takeToEnd();
    if (turn) await turn;
    order.push(`end ${i}`);
    work(1);
  });
  const before = order.length;
  // On a busy machine it may look as if nobody was busy a few times.
  assert(before >= 1 && before <= 10, `${before} go on at once`);
  const busy = turns.take();
  assert(busy);
  await deadline(busy);
  assertEquals(order.length, before, "work goes on first");
  for (let seen = order.length; order.length < 60; seen = order.length) {
    await deadline(turns.take() ?? new Promise((resolve) => setTimeout(resolve, 0)));
    // A turn takes 15 ms where the loopback connection's byte is late.
    assert(order.length - seen <= 20, `${order.length - seen} in one go`);
  }
  await Promise.all(ends);
  assertEquals(order, Array.from({ length: 60 }, (_, i) => `end ${i}`));
  await turns.close();
  assertEquals(turns.takeToEnd(), undefined);
});

Deno.test("who asks to be the last goes on behind the work of each turn, and is kept waiting by none of it", async () => {
  const turns = new Turns();
  const order: string[] = [];
  const go = async (name: string, turn: Promise<void> | undefined) => {
    await turn;
    order.push(name);
    work(1);
  };
  const all = [go("last", turns.takeLast()), go("last", turns.takeLast())];
  for (let i = 0; i < 60; i++) all.push(go("work", turns.take()));
  await deadline(Promise.all(all));
  assertEquals(order[0], "work");
  const [first, second] = [order.indexOf("last"), order.lastIndexOf("last")];
  assert(first < 40, `behind ${first} of 60, which take 1 ms each`);
  assert(second > first + 1 && second < 60, `the next in another turn: ${order}`);
  await turns.close();
  await deadline(turns.takeLast());
});

Deno.test("what is little goes before what is new, and that before much; networks take turns", async () => {
  // On a busy machine those of one kind would have had their 2 ms before they are all done.
  using _still = new FakeClock();
  const turns = new Turns();
  const order: string[] = [];
  const go = async (name: string, turn: Promise<void> | undefined) => {
    assert(turn, name);
    await turn;
    order.push(name);
  };
  const all = [go("much", turns.take())];
  for (const name of ["new a1", "new a2", "new a3", "new b1"]) {
    all.push(go(name, turns.takeToBegin(name[4]!)));
  }
  for (const name of ["a1", "a2", "a3", "b1"]) all.push(go(name, turns.takeForLittle(name[0]!)));
  all.push(go("urgent", turns.take(true)));
  await deadline(Promise.all(all));
  const little = ["a1", "b1", "a2", "a3"];
  assertEquals(order, ["urgent", ...little, "new a1", "new b1", "new a3", "new a2", "much"]);
  await turns.close();
  assertEquals([turns.takeForLittle("a"), turns.takeToBegin("a")], [undefined, undefined]);
});

Deno.test("what may come on a thousand connections at once waits for turns from 2 ms on", async () => {
  const turns = new Turns();
  let done = 0;
  const requests = Array.from({ length: 40 }, async () => {
    const turn = turns.takeIfBusy();
    if (turn) await turn;
    done++;
    work(1);
  });
  // On a busy machine it may look as if nobody was busy a few times.
  assert(done >= 1 && done <= 10, `${done} go on at once`);
  await deadline(Promise.all(requests));
  await turns.close();
  assertEquals(turns.takeIfBusy(), undefined);
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

Deno.test("readers who find more at once, again and again, let sockets be polled in between", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  using other = await connectTo(server);
  const turns = new Turns();
  await turns.take(true);
  let isAnswered = false;
  let taken = 0;
  const ask = Promise.withResolvers<void>();
  const readers = Array.from({ length: 20 }, async () => {
    while (!isAnswered && taken < 3_000) {
      if (++taken === 200) ask.resolve();
      work(0.1);
      const turn = turns.take(true);
      if (turn) await turn;
    }
  });
  await ask.promise;
  await other.write(Uint8Array.of(1));
  await deadline(other.read(new Uint8Array(1)), "an answer");
  isAnswered = true;
  assert(taken < 3_000, "nobody was answered before all readers were done");
  await Promise.all(readers);
  await turns.close();
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
