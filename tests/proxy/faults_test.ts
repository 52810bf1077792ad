import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dial, listen } from "../../lib/net/mod.ts";
import {
  FaultError,
  parseFault,
  type Proxy,
  type ProxyOptions,
  serveProxy,
} from "../../lib/proxy/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { assertReset, bytesOf, readAll, writeAll } from "./ends.ts";
import { LOSSLESS, passLossless } from "./lossless.ts";

const ANY_PORT = "127.0.0.1:0";

interface Ends {
  readonly proxy: Proxy;
  readonly client: Deno.Conn;
  readonly upstream: Deno.Conn;
}

/** Calls a test with both ends of a connection through a proxy. */
async function withProxy(
  options: ProxyOptions,
  test: (ends: Ends) => Promise<void>,
): Promise<void> {
  using listener = await listen(ANY_PORT);
  await using proxy = await serveProxy(ANY_PORT, listener.address, options);
  using client = await dial(proxy.address);
  using upstream = await deadline(listener.accept(), "a connection");
  await test({ proxy, client, upstream });
}

Deno.test("all bytes arrive through each fault that loses none, and through all at once", async () => {
  const sent = bytesOf(6_000_000);
  for (const faults of [...LOSSLESS.map((fault) => [fault]), LOSSLESS]) {
    await passLossless(sent, faults, 4);
  }
});

Deno.test("a connection is closed, half closed or reset after exactly so many bytes", async () => {
  for (const [way, after] of [["up", 0], ["up", 10_000], ["down", 1], ["both", 70_000]] as const) {
    for (const kind of ["close", "half-close", "reset"] as const) {
      const faults = [`${way} ${kind} after ${after}`];
      await withProxy({ faults }, async ({ proxy, client, upstream }) => {
        const [from, to] = way === "down" ? [upstream, client] : [client, upstream];
        const writing = writeAll(from, bytesOf(200_000)).catch(() => {});
        let received = new Uint8Array();
        if (kind === "reset") {
          // The bytes before it are there when they are read at once.
          await assertReset(to);
          await assertReset(from);
        } else received = await deadline(readAll(to), faults[0]);
        if (kind === "half-close") {
          assertEquals(received, bytesOf(200_000).subarray(0, after));
          await deadline(writing);
          // The other half goes on.
          await writeAll(to, bytesOf(999));
          await to.closeWrite();
          assertEquals((await deadline(readAll(from))).length, 999);
          await from.closeWrite();
        } else if (kind === "close") {
          assertEquals(received, bytesOf(200_000).subarray(0, after));
          await deadline(readAll(from), "the other side");
          client.close();
          upstream.close();
        }
        await until(() => proxy.connections.size === 0, faults[0]);
        assertEquals(proxy.reports().map(({ fired }) => fired > 0), [true]);
      });
    }
  }
});

Deno.test("connections are refused: those that are selected", async () => {
  const reasons: string[] = [];
  using listener = await listen(ANY_PORT);
  await using proxy = await serveProxy(ANY_PORT, listener.address, {
    faults: ["both refuse conn 1..2"],
    observer: { closed: (_, reason) => reasons.push(reason) },
  });
  await assertReset(proxy.address);
  await assertReset(proxy.address);
  using client = await dial(proxy.address);
  using upstream = await deadline(listener.accept());
  await writeAll(client, bytesOf(5));
  await client.closeWrite();
  assertEquals((await deadline(readAll(upstream))).length, 5);
  assertEquals(reasons, ["fault", "fault"]);
  assertEquals(proxy.reports(), [{ fault: "both refuse conn 1..2", fired: 2, isSet: true }]);
});

Deno.test("set() changes what happens to open connections, and forgets no report", async () => {
  await withProxy({ faults: ["up blackhole"] }, async ({ proxy, client, upstream }) => {
    await writeAll(client, bytesOf(1_000));
    await client.closeWrite();
    await until(() => proxy.reports()[0]!.fired === 1);
    const reading = readAll(upstream);
    await assertRejects(() => deadline(reading, "nothing passes", 50));
    const error = assertThrows(() => proxy.set(["up delay 1ms", "up dely 1ms"]), FaultError);
    assert(error.message.includes("dely"));
    assertEquals(proxy.faults.map(({ text }) => text), ["up blackhole"]);
    proxy.set(["down reset"]);
    await assertReset(client);
    await reading.catch(() => {});
    assertEquals(proxy.reports(), [
      { fault: "up blackhole", fired: 1, isSet: false },
      { fault: "down reset", fired: 1, isSet: true },
    ]);
  });
  await withProxy({ faults: ["up blackhole"] }, async ({ proxy, client, upstream }) => {
    await writeAll(client, bytesOf(1_000));
    await client.closeWrite();
    await until(() => proxy.reports()[0]!.fired === 1);
    proxy.set([]);
    assertEquals(await deadline(readAll(upstream)), bytesOf(1_000));
  });
});

Deno.test("what is no fault is refused at the start and by set(), in our words", async () => {
  const parsed = parseFault("up delay 1ms");
  await using proxy = await serveProxy(ANY_PORT, "127.0.0.1:1", { faults: [parsed] });
  const wrong = [null, 5, "up delay 1ms", {}, [5], [null], [{}], [{ ...parsed, direction: "x" }]];
  for (const faults of wrong as never[]) {
    const words = /^Cannot use .* as (faults: give an array|a fault: give a text)/;
    const told = [
      await assertRejects(async () => await serveProxy(ANY_PORT, "127.0.0.1:1", { faults })),
      assertThrows(() => proxy.set(faults)),
    ];
    for (const error of told) {
      assert(error instanceof TypeError && words.test(error.message), String(error));
    }
  }
  assertEquals(proxy.faults, [parsed]);
  for (const text of [5, null, undefined, ["up delay 1ms"]] as never[]) {
    assertThrows(() => parseFault(text), TypeError, "as text: give a string");
  }
});

Deno.test("what fired is told with connection, direction and offset; a seed repeats it", async () => {
  const run = async (seed: number | undefined) => {
    const fired: unknown[] = [];
    let used = -1;
    const observer = { fired: (each: unknown) => void fired.push(each) };
    const options = { faults: ["both corrupt 1e-3"], seed, observer };
    await withProxy(options, async ({ proxy, client, upstream }) => {
      used = proxy.seed;
      await writeAll(client, bytesOf(20_000));
      await client.closeWrite();
      await deadline(readAll(upstream));
    });
    return { fired, used };
  };
  const first = await run(undefined);
  assert(Number.isSafeInteger(first.used) && first.used >= 0);
  const again = await run(first.used);
  assert(first.fired.length > 0);
  assertEquals(again, first);
  const { fault, connection, direction, offset } = first.fired[0] as Record<string, unknown>;
  assertEquals([fault, connection, direction], ["both corrupt 1e-3", 1, "up"]);
  assert(Number.isInteger(offset));
});
