import { assert, assertEquals, assertLess } from "@std/assert";
import { ConnStream } from "../../lib/net/conn_stream.ts";

/** Works for so many milliseconds. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** A connection that has bytes without end. */
function endless(sizes: number[]): Deno.Conn {
  return {
    read(into: Uint8Array) {
      sizes.push(into.length);
      return Promise.resolve(into.length);
    },
    close() {},
  } as unknown as Deno.Conn;
}

Deno.test("reads grow while what they bring is dealt with at once, and shrink while that takes long", async () => {
  const sizes: number[] = [];
  let turns = 0;
  const stream = new ConnStream(endless(sizes), {
    takeIfBusy() {
      turns++;
      return undefined;
    },
    takeToEnd: () => undefined,
  });
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  stream.on("data", () => {
    seen++;
    if (seen > 60) work(5);
    if (seen === 80) resolve(void stream.destroy());
  });
  await over;
  assertEquals(sizes[0], 1_024);
  assert(sizes.slice(0, 60).includes(65_536), sizes.join());
  assertLess(sizes[79]!, 4_096);
  assert(turns >= 80, `${turns} turns for ${seen} reads`);
});

Deno.test("nothing is handed on before its turn", async () => {
  const turn = Promise.withResolvers<void>();
  const stream = new ConnStream(endless([]), {
    takeIfBusy: () => turn.promise,
    takeToEnd: () => undefined,
  });
  let seen = 0;
  const { promise: came, resolve } = Promise.withResolvers<void>();
  stream.on("data", () => {
    seen++;
    resolve(void stream.destroy());
  });
  for (let i = 0; i < 20; i++) await undefined;
  assertEquals(seen, 0);
  turn.resolve();
  await came;
});

Deno.test("what comes without a pause is little up to 2 KiB", async () => {
  const counts = [100, 1_024, 2_048, 1, 10, 2_047, 1_024];
  const conn = endless([]);
  conn.read = (into) =>
    Promise.resolve(counts.length > 0 ? Math.min(counts.shift()!, into.length) : null);
  const asked: boolean[] = [];
  const stream = new ConnStream(conn, {
    takeIfBusy(isLittle) {
      asked.push(isLittle);
      return undefined;
    },
    takeToEnd: () => undefined,
  });
  stream.resume();
  await new Promise((resolve) => stream.once("end", resolve));
  assertEquals(asked, [true, true, false, false, true, true, true]);
});

Deno.test("what is discarded is read to its end, and not handed on", async () => {
  const sizes: number[] = [];
  const conn = endless(sizes);
  const { read } = conn;
  conn.read = (into) => sizes.length < 50 ? read(into) : Promise.resolve(null);
  const stream = new ConnStream(conn);
  let seen = 0;
  stream.on("data", () => {
    if (++seen === 3) stream.discardInput();
  });
  await new Promise((resolve) => stream.once("end", resolve));
  // The next read was under way.
  assert(seen <= 4, `${seen}`);
  assertEquals([sizes.length, stream.readBytes], [50, sizes.reduce((sum, size) => sum + size)]);
});

Deno.test("few bytes are handed on in memory of their own size", async () => {
  const counts = [1, 1, 500, 512, 513, 1_024, 7];
  const conn = endless([]);
  conn.read = (into) => {
    const count = counts.shift() ?? null;
    if (count !== null) into.fill(count, 0, count);
    return Promise.resolve(count);
  };
  const stream = new ConnStream(conn);
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("end", resolve));
  assertEquals(chunks.map(({ length }) => length), [1, 1, 500, 512, 513, 1_024, 7]);
  for (const chunk of chunks) {
    assertEquals(chunk.every((byte) => byte === chunk.length % 256), true);
    const least = chunk.length > 512 ? 1_024 : chunk.length;
    assert(chunk.buffer.byteLength <= Math.max(least, 2 * chunk.length), `${chunk.length}`);
  }
});

Deno.test("while it is paused nothing is read, also what would fit; larger reads are asked for", async () => {
  const sizes: number[] = [];
  const stream = new ConnStream(endless(sizes));
  stream.mayRead = (bytes) => bytes <= 4_096;
  const { promise: paused, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  stream.on("data", () => {
    if (++seen === 20) resolve(void stream.pause());
  });
  await paused;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(sizes.length, 20);
  assertEquals(Math.max(...sizes), 4_096);
  const more = new Promise<void>((resolve) => stream.once("data", () => resolve()));
  stream.resume();
  await more;
  stream.destroy();
});
