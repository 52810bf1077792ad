import { assert, assertEquals } from "@std/assert";
import { Acceptor, type AcceptSource } from "../../lib/net/acceptor.ts";
import type { Turns } from "../../lib/net/turns.ts";
import { type Address, type Listener, serveConnections } from "../../lib/net/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";

/** A listener whose accepts fail in turn with what is given, before any succeeds. */
function failing(inner: Listener, failures: Iterable<Error>): Listener {
  const iterator = failures[Symbol.iterator]();
  return {
    address: inner.address,
    secure: inner.secure,
    accept() {
      const { done, value } = iterator.next();
      return done ? inner.accept() : Promise.reject(value);
    },
    close: () => inner.close(),
    [Symbol.dispose]: () => inner.close(),
  };
}

function* repeat(count: number, make: () => Error): Generator<Error> {
  for (let i = 0; i < count; i++) yield make();
}

const echo = {
  async serve(connection: Parameters<Parameters<typeof serveConnections>[1]["serve"]>[0]) {
    await connection.read();
    connection.output.buffer.append(Uint8Array.of(1));
    await connection.finish("done", true);
  },
};

async function assertServed(address: Address): Promise<void> {
  using client = await RawClient.connect(address);
  await client.send(Uint8Array.of(1));
  assertEquals(await client.chunk(), Uint8Array.of(1));
}

Deno.test("an accept that fails is told of and tried again", async () => {
  const observer = new Recorder();
  const failures = [
    new Deno.errors.ConnectionAborted("software caused connection abort"),
    new Error("Too many open files (os error 24)"),
    new Deno.errors.ConnectionReset("reset by peer"),
  ];
  const listener = failing(await listenLocally(), failures);
  await using server = serveConnections(listener, echo, { observer });
  await assertServed(server.address);
  assertEquals(
    observer.acceptErrors.map(({ operation, code }) => [operation, code]),
    [["accept", "reset"], ["accept", "too-many-open-files"], ["accept", "reset"]],
  );
  assertEquals(observer.acceptErrors[0]?.address, server.address);
});

Deno.test("a server whose accept fails all the time can be drained at once", async () => {
  const failures = Array.from({ length: 100 }, () => new Error("Too many open files"));
  const listener = failing(await listenLocally(), failures);
  const observer = new Recorder();
  const server = serveConnections(listener, echo, { observer });
  await until(() => observer.acceptErrors.length > 3);
  await deadline(server.drain());
});

Deno.test("an accept that fails for whatever reason of a peer's is tried again at once", async () => {
  for (
    const make of [
      () => new Deno.errors.ConnectionAborted(),
      () => new Deno.errors.NotConnected(),
      () => new Deno.errors.PermissionDenied("Operation not permitted (os error 1)"),
      () => new Deno.errors.InvalidData("a bad handshake"),
      () => Object.assign(new Error("odd"), { code: "EPROTO" }),
      () => new Error("whatever else"),
    ]
  ) {
    const observer = new Recorder();
    const listener = failing(await listenLocally(), repeat(2_000, make));
    await using server = serveConnections(listener, echo, { observer });
    const begin = performance.now();
    await assertServed(server.address);
    const took = performance.now() - begin;
    assertEquals(observer.acceptErrors.length, 2_000);
    // With pauses of 5 ms and more it would take 10 s at least.
    assert(took < 5_000, `${took} ms`);
  }
});

Deno.test("an accept for which the process lacks something is tried again after a pause", async () => {
  for (
    const make of [
      () => new Error("Too many open files (os error 24)"),
      () => Object.assign(new Error("odd"), { code: "ENFILE" }),
      () => new Error("Cannot allocate memory (os error 12)"),
      () => Object.assign(new Error("odd"), { code: "ENOBUFS" }),
    ]
  ) {
    const observer = new Recorder();
    const listener = failing(await listenLocally(), repeat(5, make));
    const begin = performance.now();
    await using server = serveConnections(listener, echo, { observer });
    await assertServed(server.address);
    const took = performance.now() - begin;
    // 5 + 10 + 20 + 40 + 80 ms.
    assert(took >= 100, `${took} ms`);
    assertEquals(observer.acceptErrors.length, 5);
  }
});

Deno.test("accepts that fail without end do not spin", async () => {
  let failures = 0;
  function* endless(): Generator<Error> {
    const error = new Error("whatever");
    for (;; failures++) yield error;
  }
  const server = serveConnections(failing(await listenLocally(), endless()), echo);
  await until(() => failures >= 65_536, "as many failures as could be of peers");
  const before = failures;
  await pause(50);
  assert(failures - before < 20, `${failures - before} more accepts in 50 ms`);
  await deadline(server.drain());
});

Deno.test("accepts take turns with others also where the machine is busy, and each takes long", async () => {
  const { now } = performance;
  let ms = 0;
  let taken = 0;
  const turns = { take: () => void taken++ } as unknown as Turns;
  const source: AcceptSource<number> = {
    address: { transport: "unix", path: "nowhere" },
    accept: () => Promise.resolve(ms += 10),
    close() {},
  };
  performance.now = () => ms;
  try {
    const acceptor = new Acceptor(source, turns, () => {});
    for (let i = 0; i < 320; i++) await acceptor.next();
  } finally {
    performance.now = now;
  }
  assertEquals(taken, 9);
});

Deno.test("a server whose listener somebody else closes ends with its last connection", async () => {
  const listener = await listenLocally();
  const observer = new Recorder();
  const server = serveConnections(listener, echo, { observer });
  using client = await RawClient.connect(server.address);
  await until(() => server.connections.size === 1);
  listener.close();
  await until(() => observer.acceptErrors.length === 1);
  await client.send(Uint8Array.of(1));
  assertEquals(await client.chunk(), Uint8Array.of(1));
  await deadline(server.finished, "the end of the server");
  assertEquals(observer.acceptErrors[0]?.code, "closed");
});
