import { assert, assertEquals } from "@std/assert";
import { freeDescriptors, giveWay, payers } from "../../lib/net/giving_way.ts";
import { dial, listen, type Listener, serveConnections } from "../../lib/net/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { echo, LOOPBACK, Recorder } from "../support/peers.ts";
import { SERVER_TLS } from "../support/tls.ts";
import { readToEnd } from "../web/raw_http.ts";

Deno.test("payers() takes the first of the network with the most, again and again", () => {
  const chosen = (items: string[], count: number) => payers(items, (item) => item[0]!, count);
  assertEquals(chosen(["b1", "a1", "a2", "a3", "b2"], 3), ["a1", "b1", "a2"]);
  assertEquals(chosen(["a1", "b1"], 5), ["a1", "b1"]);
  assertEquals(chosen([], 1), []);
});

Deno.test("of those that could give way, the holder with the most does, an eighth at a time", () => {
  const given: [string, number][] = [];
  const hold = (name: string, count: number) =>
    giveWay({ unproven: () => count, giveUp: (some) => given.push([name, some]) });
  {
    using _few = hold("few", 9);
    {
      using _many = hold("many", 17);
      assert(freeDescriptors());
    }
    assert(freeDescriptors());
    using _more = hold("more", 10_000);
    assert(freeDescriptors());
  }
  assert(!freeDescriptors());
  assertEquals(given, [["many", 3], ["few", 2], ["more", 32]]);
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
    let fail: ((cause: Error) => void) | undefined;
    await using victim = await start((inner) => ({
      address: inner.address,
      secure: inner.secure,
      handshakes: inner.handshakes,
      accept: () =>
        Promise.race([
          inner.accept(),
          new Promise<never>((_, reject) => fail = reject),
        ]),
      close: () => inner.close(),
      [Symbol.dispose]: () => inner.close(),
    }));
    const clients: Deno.Conn[] = [];
    for (let i = 0; i < 9; i++) clients.push(await dial(victim.listener.address));
    await until(() => victim.hasOpen(9), "all are accepted");
    fail!(new Error("Too many open files (os error 24)"));
    await until(() => victim.hasOpen(7), "two have given way");
    for (const client of clients.slice(0, 2)) await deadline(readToEnd(client), "its end");
    for (const client of clients) client.close();
  });
}
