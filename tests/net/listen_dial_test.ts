import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Address, ConnectionError, dial, formatAddress, listen } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

/** Asserts that a promise is rejected with a ConnectionError of this code; returns it. */
async function assertCode(
  promise: Promise<unknown>,
  operation: string,
  code: string,
): Promise<ConnectionError> {
  const error = await assertRejects(() => deadline(promise), ConnectionError);
  assertEquals([error.operation, error.code], [operation, code], error.message);
  return error;
}

/** Sends a byte each way between a dialled and an accepted connection. */
async function assertTalks(dialled: Deno.Conn, accepted: Deno.Conn): Promise<void> {
  for (const [from, to] of [[dialled, accepted], [accepted, dialled]] as const) {
    await from.write(new Uint8Array([7]));
    const byte = new Uint8Array(2);
    assertEquals(await deadline(to.read(byte)), 1);
    assertEquals(byte[0], 7);
  }
}

for (const hostname of ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"]) {
  Deno.test({
    name: `a listener on ${hostname} is dialled at the address that it tells`,
    ignore: hostname.includes(":") && !hasIpv6,
    fn: async () => {
      using listener = await listen({ transport: "tcp", hostname, port: 0 });
      const { address, secure } = listener;
      assert(address.transport === "tcp" && address.port > 0);
      assertEquals(secure, false);
      const reachable = hostname === "0.0.0.0"
        ? "127.0.0.1"
        : hostname === "::"
        ? "::1"
        : address.hostname;
      using dialled = await dial({ ...address, hostname: reachable }, { timeoutMs: 20_000 });
      using accepted = await deadline(listener.accept());
      await assertTalks(dialled, accepted);
    },
  });
}

Deno.test({
  name: "localhost is listened on in both families, with one port, by TLS and for threads, too",
  ignore: !hasIpv6,
  async fn() {
    for (const options of [{}, { tls: SERVER_TLS }, { reusePort: Deno.build.os === "linux" }]) {
      using listener = await listen("LocalHost:0", options);
      const { address, secure } = listener;
      assert(address.transport === "tcp");
      assertEquals([address.hostname, secure], ["localhost", "tls" in options]);
      const tls = secure ? { caCerts: [CA], serverName: "localhost" } : undefined;
      // The second of a family comes while nobody has come to the other one.
      for (const hostname of ["127.0.0.1", "::1", "::1", "127.0.0.1", "localhost"]) {
        const [dialled, accepted] = await deadline(Promise.all([
          dial({ ...address, hostname }, { tls }),
          listener.accept(),
        ]));
        using _both = dialled;
        using conn = accepted;
        await assertTalks(dialled, conn);
      }
      if ("reusePort" in options && options.reusePort) {
        using other = await listen(address, options);
        assertEquals(other.address, address);
      }
    }
  },
});

Deno.test({
  name: "localhost is in use if it is in one family, and free of both when it is closed",
  ignore: !hasIpv6,
  async fn() {
    for (const options of [{}, { tls: SERVER_TLS }]) {
      const address = { ...ownAddress(), hostname: "localhost" };
      using listener = await listen(address, options);
      const taken = await assertCode(listen(address), "listen", "address-in-use");
      assertEquals(taken.address, address);
      listener.close();
      await assertRejects(() => listener.accept());
      for (const hostname of ["127.0.0.1", "::1"]) {
        await assertRejects(() => deadline(dial({ ...address, hostname })), ConnectionError);
      }
      // One that has only half of it is none.
      using half = await listen({ ...address, hostname: "::1" });
      assertEquals(half.address, { ...address, hostname: "::1" });
      await assertCode(listen(address), "listen", "address-in-use");
      using first = await listen({ ...address, hostname: "127.0.0.1" });
      assert(first.address.transport === "tcp");
    }
  },
});

Deno.test("a name is dialled", async () => {
  using listener = await listen(LOOPBACK);
  const { port } = listener.address as { port: number };
  using dialled = await dial({ transport: "tcp", hostname: "localhost", port });
  using accepted = await deadline(listener.accept());
  await assertTalks(dialled, accepted);
});

Deno.test("a port in use is told as such", async () => {
  using first = await listenLocally();
  const error = await assertCode(listen(first.address), "listen", "address-in-use");
  assertEquals(error.address, first.address);
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
  assertStringIncludes(error.message, `Cannot listen on ${formatAddress(first.address)}: `);
});

Deno.test({
  name: "reusePort lets two listeners share a port",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using first = await listen(LOOPBACK, { reusePort: true });
    using second = await listen(first.address, { reusePort: true });
    assertEquals(second.address, first.address);
    await assertCode(listen(first.address), "listen", "address-in-use");
  },
});

Deno.test("an address of another machine cannot be listened on", async () => {
  // 192.0.2.0/24 is for documentation; no machine has it.
  const address = { transport: "tcp", hostname: "192.0.2.1", port: 0 } as const;
  await assertCode(listen(address), "listen", "address-not-available");
});

Deno.test("a port out of range is refused", async () => {
  for (const port of [65_536, -1, 1.5, NaN]) {
    const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
    await assertRejects(() => listen(address), Error, undefined, `listen ${port}`);
    await assertRejects(() => deadline(dial(address)), Error, undefined, `dial ${port}`);
  }
  await assertRejects(() => dial(LOOPBACK), ConnectionError, "port 0 is only for servers");
});

Deno.test("a port where nobody listens refuses", async () => {
  const listener = await listenLocally();
  listener.close();
  const error = await assertCode(dial(listener.address), "connect", "refused");
  assertEquals(error.address, listener.address);
});

Deno.test("a name that does not exist is told as such", async () => {
  const address = { transport: "tcp", hostname: "no-such-host.invalid", port: 1 } as const;
  await assertCode(dial(address), "connect", "host-not-found");
  await assertCode(listen(address), "listen", "host-not-found");
});

Deno.test("a listener can be closed twice, and its accept then rejects", async () => {
  const listener = await listenLocally();
  const accepting = assertRejects(() => listener.accept());
  listener.close();
  listener.close();
  await deadline(accepting);
  await assertRejects(() => listener.accept());
});

Deno.test("connections live on when their listener is closed", async () => {
  const listener = await listenLocally();
  using dialled = await dial(listener.address);
  using accepted = await deadline(listener.accept());
  listener.close();
  await assertTalks(dialled, accepted);
});

Deno.test("dialling gives up at once with a signal that is aborted", async () => {
  const reason = new Error("no more");
  const options = { signal: AbortSignal.abort(reason) };
  const error = await assertRejects(() => dial(LOOPBACK, options), Error, "no more");
  assertEquals(error, reason);
});

Deno.test("dialling may take for ever where no limit is wanted", async () => {
  using listener = await listenLocally();
  for (const timeoutMs of [Infinity, 2 ** 31, 1e12]) {
    using dialled = await dial(listener.address, { timeoutMs });
    using accepted = await deadline(listener.accept());
    await assertTalks(dialled, accepted);
  }
});

Deno.test("a time limit that is none is refused before anything is dialled", async () => {
  using listener = await listenLocally();
  for (const timeoutMs of [-1, NaN]) {
    await assertRejects(() => dial(listener.address, { timeoutMs }), RangeError);
  }
});

Deno.test({
  name: "a dial that hangs in the kernel ends when its time is up, or when it is aborted",
  // A listener that never accepts takes a few connections and then lets the next ones wait.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const address: Address = { ...LOOPBACK, port: listener.addr.port };
    const held: Deno.Conn[] = [];
    let late: unknown;
    while (late === undefined && held.length < 5_000) {
      try {
        held.push(await deadline(dial(address, { timeoutMs: 200 })));
      } catch (error) {
        late = error;
      }
    }
    assertInstanceOf(late, ConnectionError);
    assertEquals([late.operation, late.code], ["connect", "timed-out"]);
    const abort = new AbortController();
    const dialling = dial(address, { signal: abort.signal });
    abort.abort("enough");
    const reason = await deadline(dialling.catch((error) => error));
    assertEquals(reason, "enough");
    for (const conn of held) conn.close();
    listener.close();
  },
});

Deno.test("a connection that is reset before its options are set is closed", async () => {
  using listener = await listen(LOOPBACK);
  const { connect } = Deno;
  let closed = 0;
  // What macOS answers for a socket that the peer has reset: setsockopt fails with EINVAL.
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const conn = await connect(options);
    const { close } = conn;
    conn.setNoDelay = () => {
      throw Object.assign(new Error("Invalid argument (os error 22)"), { code: "EINVAL" });
    };
    conn.close = () => {
      closed++;
      close.call(conn);
    };
    return conn;
  }) as typeof Deno.connect;
  try {
    await assertCode(dial(listener.address), "connect", "failed");
    assertEquals(closed, 1);
  } finally {
    Deno.connect = connect;
  }
  (await listener.accept()).close();
});
