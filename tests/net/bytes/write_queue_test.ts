import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { ReadBuffer, SharedMemory, WriteQueue } from "../../../lib/net/mod.ts";
import { deadline } from "../../support/deadline.ts";

/** A socket that takes what the test says, when the test says it. */
class Socket {
  readonly received: number[] = [];
  writes = 0;
  /** How much one write takes at most. */
  most = Infinity;
  #pending: { bytes: Uint8Array; resolve(count: number): void; reject(error: Error): void }[] = [];

  write(bytes: Uint8Array): Promise<number> {
    assertEquals(this.#pending.length, 0, "two writes at one time");
    assert(bytes.length > 0, "a write of nothing");
    this.writes++;
    return new Promise((resolve, reject) => this.#pending.push({ bytes, resolve, reject }));
  }

  /** Lets the write that waits take `count` bytes, or all; does nothing if none waits. */
  async take(count = Infinity): Promise<void> {
    const write = this.#pending.pop();
    if (write) {
      const taken = Math.min(count, this.most, write.bytes.length);
      this.received.push(...write.bytes.subarray(0, taken));
      write.resolve(taken);
    }
    await settle();
  }

  async fail(): Promise<void> {
    this.#pending.pop()!.reject(new Error("the wire is cut"));
    await settle();
  }

  get waiting(): boolean {
    return this.#pending.length > 0;
  }
}

/** Lets everything that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => setTimeout(resolve, 0)));
}

function bytes(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (from + i) & 0xff);
}

Deno.test("a write queue sends all bytes in order, whatever each write takes", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ kind: fc.constant("flush" as const), count: fc.constant(0) }),
    fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 2_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const socket = new Socket();
      const queue = new WriteQueue(socket, 1_000);
      let appended = 0;
      for (const { kind, count } of steps) {
        if (kind === "append") {
          queue.buffer.append(bytes(appended, count));
          appended += count;
        } else if (kind === "flush") queue.flush();
        else await socket.take(count);
        assertEquals(queue.pendingBytes, appended - socket.received.length);
        assertEquals(queue.writtenBytes, socket.received.length);
      }
      const flushed = queue.flushed();
      while (socket.waiting) await socket.take();
      await deadline(flushed);
      assertEquals(Uint8Array.from(socket.received), bytes(0, appended));
      assertEquals([queue.pendingBytes, queue.failed], [0, false]);
    }),
    { numRuns: 60 },
  );
});

Deno.test("bytes are sent by a flush, and what is appended meanwhile leaves in one write", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 1_000);
  queue.buffer.append(bytes(0, 10));
  await settle();
  assertEquals(socket.writes, 0);
  queue.flush();
  assertEquals(socket.writes, 1);
  for (let i = 0; i < 100; i++) {
    queue.buffer.append(bytes(10 + i, 1));
    queue.flush();
  }
  assertEquals(socket.writes, 1);
  await socket.take();
  await socket.take();
  assertEquals([socket.writes, socket.received.length], [2, 110]);
  queue.flush();
  assertEquals(socket.writes, 2);
});

Deno.test("room() lets a producer go on up to the mark, and from half of it", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 100);
  queue.buffer.append(bytes(0, 100));
  assertEquals(queue.room(), undefined);
  queue.buffer.append(bytes(100, 1));
  let released = false;
  const room = queue.room()!.then(() => released = true);
  // Waiting for room starts the sending: otherwise nobody would.
  assert(socket.waiting);
  await socket.take(50);
  assertEquals([released, queue.pendingBytes], [false, 51]);
  await socket.take(1);
  assertEquals([released, queue.pendingBytes], [true, 50]);
  await deadline(room);
  assertEquals(queue.room(), undefined);
  while (socket.waiting) await socket.take();
});

Deno.test("room() with a mark of 0 waits until everything is sent", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 0);
  assertEquals(queue.room(), undefined);
  queue.buffer.append(bytes(0, 10));
  let released = false;
  void queue.room()!.then(() => released = true);
  await socket.take(9);
  assertEquals(released, false);
  await socket.take(1);
  assertEquals(released, true);
});

Deno.test("all producers that wait for room are let go", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 10);
  queue.buffer.append(bytes(0, 1_000));
  const waiting = [queue.room(), queue.room(), queue.room()];
  queue.buffer.append(bytes(0, 1_000));
  while (socket.waiting) await socket.take(300);
  await deadline(Promise.all(waiting));
  assertEquals(socket.received.length, 2_000);
});

Deno.test("a failed write is told to all who ask, and later bytes are dropped", async () => {
  const socket = new Socket();
  const cut = new Error("explained");
  const queue = new WriteQueue(socket, 10, (cause) => {
    assertEquals((cause as Error).message, "the wire is cut");
    return cut;
  });
  queue.buffer.append(bytes(0, 100));
  const room = assertRejects(() => queue.room()!);
  const flushed = assertRejects(() => queue.flushed());
  await socket.take(5);
  queue.buffer.append(bytes(0, 100));
  await socket.fail();
  assertStrictEquals(await deadline(room), cut);
  assertStrictEquals(await deadline(flushed), cut);
  assertEquals([queue.failed, queue.pendingBytes, queue.writtenBytes], [true, 0, 5]);
  assertStrictEquals(await assertRejects(() => queue.room()!), cut);
  for (let i = 0; i < 10; i++) {
    queue.buffer.append(bytes(0, 100_000));
    queue.flush();
  }
  assertEquals([queue.pendingBytes, socket.writes], [0, 2]);
  assertStrictEquals(await assertRejects(() => queue.flushed()), cut);
});

Deno.test("a failed write that nobody waits for does no harm", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 10);
  queue.buffer.append(bytes(0, 5));
  queue.flush();
  await socket.fail();
  assertEquals(queue.failed, true);
});

Deno.test("a write queue with nothing to send writes nothing", async () => {
  const socket = new Socket();
  const queue = new WriteQueue(socket, 10);
  queue.flush();
  await deadline(queue.flushed());
  assertEquals([socket.writes, queue.room(), queue.pendingBytes], [0, undefined, 0]);
});

/** Reads the bytes numbered on from `from`, as many as there is room for, up to `count`. */
function read(input: ReadBuffer, from: number, count: number): number {
  const free = input.free();
  const length = Math.min(free.length, count);
  free.set(bytes(from, length));
  input.filled(length);
  return length;
}

/** Memory for a queue. It is overwritten when it is given back, so that sending from it later is noticed. */
class Lent extends SharedMemory {
  override readonly isShared = false;
  given = 0;

  constructor(from: number, count: number) {
    super(bytes(from, count) as Uint8Array<ArrayBuffer>);
  }

  override giveBack(): void {
    super.giveBack();
    this.given++;
    this.bytes.fill(0xee);
  }

  /** As who lends it does: what is copied is theirs at once. */
  lendTo(queue: WriteQueue): void {
    queue.append(this.bytes, this);
    if (!this.borrowed && this.given === 0) this.given++;
  }
}

Deno.test("what is read goes to all receivers as it came, whatever each of them takes, and is read into no earlier", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("lend" as const), which: fc.nat(2), count: fc.nat(20_000) }),
    fc.record({ kind: fc.constant("read" as const), which: fc.constant(0), count: fc.nat(20_000) }),
    fc.record({ kind: fc.constant("own" as const), which: fc.nat(2), count: fc.nat(300) }),
    fc.record({
      kind: fc.constant("take" as const),
      which: fc.nat(2),
      count: fc.integer({ min: 1, max: 12_000 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const input = new ReadBuffer();
      let total = 0;
      const receivers = [0, 1, 2].map(() => {
        const socket = new Socket();
        return { socket, queue: new WriteQueue(socket, 1_000), expected: [] as number[] };
      });
      const lent: Lent[] = [];
      for (const { kind, which, count } of steps) {
        const { socket, queue, expected } = receivers[which]!;
        if (kind === "read") {
          const length = read(input, total, count);
          total += length;
          const view = input.bytes.subarray(input.start, input.end);
          for (const { queue, expected } of receivers) {
            queue.append(view, input.memory);
            expected.push(...view);
            assertEquals(queue.pendingBytes, expected.length - queue.writtenBytes);
            queue.flush();
          }
          input.consume(length);
        } else if (kind === "lend") {
          const memory = new Lent(9, count);
          lent.push(memory);
          expected.push(...memory.bytes);
          memory.lendTo(queue);
          assertEquals(queue.pendingBytes, expected.length - queue.writtenBytes);
          queue.flush();
        } else if (kind === "own") {
          const own = bytes(7, count);
          queue.buffer.append(own);
          expected.push(...own);
        } else await socket.take(count);
      }
      for (const { socket, queue, expected } of receivers) {
        const flushed = queue.flushed();
        while (socket.waiting) await socket.take();
        await deadline(flushed);
        assertEquals(Uint8Array.from(socket.received), Uint8Array.from(expected));
        assertEquals(queue.pendingBytes, 0);
      }
      assertEquals(input.memory.borrowed, false);
      assert(lent.every(({ given }) => given === 1), "lent memory is not given back once");
    }),
    { numRuns: 60 },
  );
});

Deno.test("much that comes at once is sent from where it was read, and little is copied", async () => {
  const input = new ReadBuffer();
  let total = 0;
  while (input.bytes.length < 100_000) {
    total += read(input, total, Infinity);
    input.consume(input.end - input.start);
  }
  const socket = new Socket();
  const queue = new WriteQueue(socket, 1_000);
  for (const [size, borrowed] of [[20_000, true], [10_000, false], [100, false]] as const) {
    queue.append(input.bytes.subarray(0, size), input.memory);
    assertEquals(input.memory.borrowed, borrowed);
    queue.flush();
    await socket.take();
    assertEquals([input.memory.borrowed, queue.pendingBytes], [false, 0]);
  }
  // Behind something else it would have to wait: it is copied.
  queue.buffer.append(bytes(0, 10));
  queue.append(input.bytes.subarray(0, 20_000), input.memory);
  assertEquals(input.memory.borrowed, false);
});

Deno.test("memory is given back when the write of it fails, and when it was never begun", async () => {
  const input = new ReadBuffer();
  for (let total = 0; input.bytes.length < 20_000;) {
    total += read(input, total, Infinity);
    input.consume(input.end - input.start);
  }
  const socket = new Socket();
  const queue = new WriteQueue(socket, 1_000);
  queue.append(input.bytes, input.memory);
  queue.flush();
  await socket.fail();
  assertEquals([input.memory.borrowed, queue.failed, queue.pendingBytes], [false, true, 0]);
  queue.append(input.bytes, input.memory);
  queue.flush();
  assertEquals([input.memory.borrowed, queue.pendingBytes], [false, 0]);
});

Deno.test("what no write has begun with can be dropped, borrowed or not", async () => {
  const input = new ReadBuffer();
  for (let total = 0; input.bytes.length < 20_000;) {
    total += read(input, total, Infinity);
    input.consume(input.end - input.start);
  }
  const socket = new Socket();
  const queue = new WriteQueue(socket, 1_000);
  queue.append(input.bytes, input.memory);
  queue.buffer.append(bytes(0, 10));
  queue.drop();
  assertEquals([input.memory.borrowed, queue.pendingBytes], [false, 0]);
  queue.append(input.bytes, input.memory);
  queue.flush();
  queue.buffer.append(bytes(0, 10));
  queue.drop();
  assertEquals([input.memory.borrowed, queue.pendingBytes], [true, input.bytes.length]);
  queue.buffer.append(bytes(7, 3));
  await socket.take();
  await socket.take();
  assertEquals(socket.received, [...input.bytes, 7, 8, 9]);
  assertEquals([input.memory.borrowed, queue.pendingBytes], [false, 0]);
});

Deno.test("one piece of much that is lent waits behind a write, counted, and all others are copied", async () => {
  const socket = new Socket();
  let counted = 0;
  const queue = new WriteQueue(socket, 1_000, undefined, {
    countOutput: (more) => counted += more,
  });
  const lend = (count: number) => {
    const lent = new Lent(0, count);
    lent.lendTo(queue);
    queue.flush();
    return lent;
  };
  const [few, first, second, third] = [100, 20_000, 30_000, 10_000].map(lend);
  assertEquals([few, first, second, third].map((lent) => lent!.given), [1, 0, 1, 1]);
  assertEquals([queue.pendingBytes, counted], [60_100, 60_100]);
  for (let i = 0; i < 3; i++) await socket.take();
  assertEquals(socket.received, [100, 20_000, 30_000, 10_000].flatMap((n) => [...bytes(0, n)]));
  assertEquals([first!.given, queue.pendingBytes, counted], [1, 0, 0]);
});

Deno.test("lent memory is given back once when it is dropped, and when the write of it or before it fails", async () => {
  const lendTwo = () => {
    const socket = new Socket();
    const queue = new WriteQueue(socket, 1_000);
    const lent = [new Lent(0, 20_000), new Lent(0, 20_000)];
    for (const memory of lent) {
      memory.lendTo(queue);
      queue.flush();
    }
    return { socket, queue, given: () => lent.map(({ given }) => given) };
  };
  const dropped = lendTwo();
  dropped.queue.drop();
  assertEquals([dropped.given(), dropped.queue.pendingBytes], [[0, 1], 20_000]);
  await dropped.socket.take();
  assertEquals(dropped.given(), [1, 1]);

  const failed = lendTwo();
  await failed.socket.fail();
  assertEquals([failed.given(), failed.queue.pendingBytes], [[1, 1], 0]);
  const late = new Lent(0, 20_000);
  late.lendTo(failed.queue);
  failed.queue.flush();
  assertEquals([late.given, failed.queue.pendingBytes], [1, 0]);
});

/** What a connection of the program's own may say of a write of five bytes. */
const ODD_WRITES: readonly (() => unknown)[] = [
  ...[0, -1, 6, 1.5, NaN, Infinity, "5", null, undefined, {}].map((count) => () =>
    Promise.resolve(count)
  ),
  () => undefined,
  () => {
    throw new Error("at once");
  },
];

Deno.test("a write that says what cannot be fails, and is not tried again", async () => {
  for (const write of ODD_WRITES) {
    let writes = 0;
    const sink = {
      write: () => {
        writes++;
        return write() as Promise<number>;
      },
    };
    const queue = new WriteQueue(sink, 100, (cause) => new Error("lost", { cause }));
    queue.buffer.append(new Uint8Array(5));
    await assertRejects(() => deadline(queue.flushed()), Error, "lost");
    assertEquals([writes, queue.failed, queue.pendingBytes], [1, true, 0]);
  }
});
