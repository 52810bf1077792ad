import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { exchangeEcho, serveEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import {
  type Address,
  AddressError,
  type Connection,
  dial,
  formatAddress,
  listen,
  type Listener,
  type ListenOptions,
  serveConnections,
  type ServeOptions,
} from "../../lib/net/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { deadline } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

const LOOPBACK: Address = { transport: "tcp", hostname: "127.0.0.1", port: 0 };

/** A server, as much of it as is looked at here. */
interface Served extends AsyncDisposable {
  readonly address: Address;
}

/** A serve function of a role: at once on a listener, else a promise. */
interface Serve {
  (target: Listener, options?: ServeOptions): Served;
  (target: Address | string, options?: ServeOptions & ListenOptions): Promise<Served>;
}

/** Sends one byte back. */
async function serve(connection: Connection): Promise<void> {
  await connection.read();
  connection.output.buffer.append(connection.input.bytes.subarray(0, connection.input.end));
  await connection.finish("done", true);
}

const SERVERS: Record<string, Serve> = {
  serveConnections:
    ((target: string, options: ServeOptions) =>
      serveConnections(target, { serve }, options)) as unknown as Serve,
  serveEcho: serveEcho as Serve,
};

async function assertServes(address: Address | string, tls?: { caCerts: string[] }): Promise<void> {
  using conn = await dial(address, { tls });
  await conn.write(Uint8Array.of(42));
  const byte = new Uint8Array(1);
  assertEquals(await deadline(conn.read(byte)), 1);
  assertEquals(byte[0], 42);
}

async function assertNobodyListens(address: Address): Promise<void> {
  (await listen(address)).close();
}

for (const [name, start] of Object.entries(SERVERS)) {
  Deno.test(`${name} serves on a listener at once`, async () => {
    const listener = await listen(LOOPBACK);
    await using server = start(listener, {});
    assert(!(server instanceof Promise));
    assertEquals(server.address, listener.address);
    await assertServes(server.address);
  });

  Deno.test(`${name} listens on an address, or what a text says`, async () => {
    for (const target of [LOOPBACK, "127.0.0.1:0", ":0"]) {
      await using server = await start(target);
      await assertServes(server.address);
      await assertServes(formatAddress(server.address));
    }
  });

  Deno.test(`${name} takes the options of listen for an address`, async () => {
    await using server = await start("127.0.0.1:0", { tls: SERVER_TLS, maxConnections: 1 });
    await assertServes(server.address, { caCerts: [CA] });
  });

  Deno.test(`${name} refuses the options of listen beside a listener`, async () => {
    using listener = await listen(LOOPBACK);
    for (const options of [{ tls: SERVER_TLS }, { reusePort: true }]) {
      assertThrows(() => start(listener, options as ServeOptions), TypeError, "listen()");
    }
    await using server = start(listener, { tls: undefined, reusePort: undefined } as ServeOptions);
    await assertServes(server.address);
  });

  Deno.test(`${name} rejects a text that is no address, and what is none at all`, async () => {
    for (const text of ["", "nowhere", "host:99999", "::1:80", "unix:", "a b:1"]) {
      await assertRejects(() => start(text), AddressError);
    }
    for (const wrong of [null, undefined, 5634, {}, { transport: "udp" }, new URL("tcp://a:1")]) {
      await assertRejects(async () => await start(wrong as string), TypeError, "as an address");
    }
  });

  Deno.test(`${name} listens no more when its options are refused`, async () => {
    const address = ownAddress();
    await assertRejects(() => start(address, { idleTimeoutMs: -1 }), RangeError);
    await assertNobodyListens(address);
  });

  Deno.test(`${name} with a signal that was aborted before gives a server that has ended`, async () => {
    const server = await start(ownAddress(), { signal: AbortSignal.abort() });
    await server[Symbol.asyncDispose]();
    await assertNobodyListens(server.address);
  });
}

Deno.test("clients take an address as a text", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  const text = formatAddress(server.address);
  (await dial(text)).close();
  const source = () => new Blob(["hello"]).stream();
  assertEquals((await deadline(exchangeEcho(text, source()))).bytes, 5);
  const load = { address: text, connections: 1, count: 1 };
  assertEquals((await deadline(runLoad(load))).summary.messages, 1);
  assertEquals((await deadline(runLoad(load))).settings.target, text);
  assertEquals(await deadline(runTutorialExchange({ address: text, connections: 2 })), 2);
  for (const wrong of ["", "127.0.0.1", "[::1:80"]) {
    await assertRejects(() => dial(wrong), AddressError);
    await assertRejects(() => listen(wrong), AddressError);
    await assertRejects(() => exchangeEcho(wrong, source()), AddressError);
    await assertRejects(() => runLoad({ address: wrong }), AddressError);
    await assertRejects(
      () => runTutorialExchange({ address: wrong, connections: 1 }),
      AddressError,
    );
    await assertRejects(() => serveEchoThreads(wrong, 1), AddressError);
  }
});

Deno.test({
  name: "serveEchoThreads takes an address as a text",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = await serveEchoThreads("127.0.0.1:0", 2);
    await assertServes(formatAddress(server.address));
  },
});

Deno.test("a listener of Deno's own is refused, and stays the program's", async () => {
  const own = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = own as unknown as Listener;
  assertThrows(() => serveEcho(listener), TypeError, "listener.address");
  assertThrows(() => serveBroker(listener), TypeError, "listener.address");
  const [conn] = await Promise.all([own.accept(), Deno.connect({ port: own.addr.port })])
    .then((both) => (both[1].close(), both));
  conn.close();
  own.close();
});
