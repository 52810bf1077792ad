import { assert, assertEquals } from "@std/assert";
import { freeDescriptors, giveWay, GivingWay, payers } from "../../lib/net/giving_way.ts";
import { dial, listen, type Listener, serveConnections } from "../../lib/net/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";
import { ArrivalPatience } from "../../lib/net/arrival_patience.ts";
import { deadline, until } from "../support/deadline.ts";
import { echo, LOOPBACK, Recorder } from "../support/peers.ts";
import { SERVER_TLS } from "../support/tls.ts";
import { readToEnd } from "../web/raw_http.ts";

const turns = { takeToEnd: () => undefined };

Deno.test("payers() takes the first of the network with the most, again and again", () => {
  const chosen = (items: string[], count: number) => payers(items, (item) => item[0]!, count);
  assertEquals(chosen(["b1", "a1", "a2", "a3", "b2"], 3), ["a1", "a2", "b1"]);
  assertEquals(chosen(["a1", "b1"], 5), ["a1", "b1"]);
  assertEquals(chosen([], 1), []);
});

Deno.test("of those that could give way, the holder with the most does, a quarter at a time", async () => {
  const given: [string, number][] = [];
  const hold = (name: string, count: number) =>
    giveWay({ unproven: () => count, giveUp: (some) => given.push([name, some]) });
  const none = new ArrivalPatience(0);
  {
    using _few = hold("few", 9);
    {
      using _many = hold("many", 17);
      // Who asks meanwhile waits for the same ones.
      assertEquals(await Promise.all([1, 2].map(() => freeDescriptors(turns, none))), [true, true]);
    }
    assert(await freeDescriptors(turns, none));
    using _more = hold("more", 10_000);
    assert(await freeDescriptors(turns, none));
  }
  assert(!await freeDescriptors(turns, none));
  assertEquals(given, [["many", 5], ["few", 3], ["more", 64]]);
});

Deno.test("nobody gives way while others show what they come for, or leave", async () => {
  const patience = new ArrivalPatience(10);
  let unproven = 1_000;
  let fewer = 5;
  let given = 0;
  using _ = giveWay({ unproven: () => unproven -= fewer, giveUp: () => void given++ });
  for (let i = 0; i < 10; i++) assert(await freeDescriptors(turns, patience));
  assertEquals(given, 0);
  fewer = 0;
  await until(async () => await freeDescriptors(turns, patience) && given > 0, "one gives way");
});

Deno.test("where there are too many, unproven ones give way if they are more than a quarter", () => {
  const all = Array.from({ length: 40 }, (_, i) => ({ i, isUnproven: i < 10, isOpen: true }));
  using givingWay = new GivingWay(() => all.filter(({ isOpen }) => isOpen), {
    isUnproven: ({ isUnproven }) => isUnproven,
    networkOf: () => "a",
    close: (each) => each.isOpen = false,
  });
  assert(!givingWay.makeRoom(40));
  assertEquals(givingWay.unproven(), 10);
  all[20]!.isUnproven = true;
  assert(givingWay.makeRoom(40));
  assertEquals(all.filter(({ isOpen }) => !isOpen).map(({ i }) => i), [0, 1, 2]);
  assert(!givingWay.makeRoom(40));
});

/** A server. */
interface Victim extends AsyncDisposable {
  readonly listener: Listener;
  /** Whether exactly `count` of its clients have shown nothing. */
  hasOpen(count: number): boolean;
}

/** Servers of each kind. `wrap` makes the listener of one fail when the test wants it. */
const VICTIMS: Record<string, (wrap: (inner: Listener) => Listener) => Promise<Victim>> = {
  async frames(wrap) {
    const listener = wrap(await listen(LOOPBACK));
    const server = serveConnections(listener, { serve: echo }, { observer: new Recorder() });
    return {
      listener,
      hasOpen: (count) => server.connections.size === count,
      [Symbol.asyncDispose]: () => server.drain(0),
    };
  },
  async tls(wrap) {
    const inner = await listen(LOOPBACK, { tls: SERVER_TLS });
    const listener = wrap(inner);
    const server = serveConnections(listener, { serve: echo }, { observer: new Recorder() });
    return {
      listener,
      hasOpen: (count) => inner.handshakes!.pending === count,
      [Symbol.asyncDispose]: () => server.drain(0),
    };
  },
  async http(wrap) {
    const listener = wrap(await listen(LOOPBACK));
    const server = serveWeb(listener, { observer: {} });
    return {
      listener,
      hasOpen: (count) => server.connections === count,
      [Symbol.asyncDispose]: () => server.drain(0),
    };
  },
};

for (const [name, start] of Object.entries(VICTIMS)) {
  Deno.test(`where no descriptor is left, the oldest silent clients go (${name})`, async () => {
    const cause = new Error("Too many open files (os error 24)");
    let fail: ((cause: Error) => void) | undefined;
    /** Whether there is none. */
    let isShort = () => false;
    await using victim = await start((inner) => ({
      address: inner.address,
      secure: inner.secure,
      handshakes: inner.handshakes,
      accept: () =>
        isShort() ? Promise.reject(cause) : Promise.race([
          inner.accept(),
          new Promise<never>((_, reject) => fail = reject),
        ]),
      close: () => inner.close(),
      [Symbol.dispose]: () => inner.close(),
    }));
    const clients: Deno.Conn[] = [];
    for (let i = 0; i < 9; i++) clients.push(await dial(victim.listener.address));
    await until(() => victim.hasOpen(9), "all are accepted");
    isShort = () => victim.hasOpen(9);
    fail!(cause);
    await until(() => victim.hasOpen(6), "three have given way");
    for (const client of clients.slice(0, 3)) await deadline(readToEnd(client), "its end");
    for (const client of clients) client.close();
  });
}

async function answers(conn: Deno.Conn): Promise<boolean> {
  try {
    await conn.write(Uint8Array.of(7));
    return await deadline(conn.read(new Uint8Array(1))) === 1;
  } catch {
    return false;
  }
}

Deno.test("silent clients that reach the limit of connections give way; others are not closed", async () => {
  const limits = { maxConnections: 4, observer: {} };
  await using echoing = await serveConnections(LOOPBACK, { serve: echo });
  await using server = await serveConnections(LOOPBACK, { serve: echo }, limits);
  await using proxy = await serveProxy(LOOPBACK, echoing.address, limits);
  for (const { address, connections } of [server, proxy]) {
    const silent: Deno.Conn[] = [];
    for (let i = 0; i < 4; i++) {
      silent.push(await dial(address));
      await until(() => connections.size === i + 1, "it is accepted");
    }
    using last = await dial(address);
    assert(await answers(last), "a new client is served");
    const asked = await Promise.all(silent.map(answers));
    assertEquals(asked, [false, true, true, true]);
    const tooMany = dial(address).then(async (conn) => {
      const isAnswered = await answers(conn);
      conn.close();
      return isAnswered;
    });
    assert(!await tooMany.catch(() => false), "it is refused");
    assert(await answers(last) && await answers(silent[1]!));
    for (const conn of silent) conn.close();
  }
  assertEquals(server.refused, 2);
});
