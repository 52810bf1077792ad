import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import fc from "fast-check";
import { ReadBuffer } from "../../../lib/net/bytes/read_buffer.ts";

/** Reads `count` bytes into the buffer, numbered on from `from`, as far as there is room. */
function fill(buffer: ReadBuffer, from: number, count: number): number {
  const free = buffer.free();
  const read = Math.min(free.length, count);
  for (let i = 0; i < read; i++) free[i] = (from + i) & 0xff;
  buffer.filled(read);
  return read;
}

/** Asserts that the buffer holds the bytes numbered from `from` to `to`. */
function assertHolds(buffer: ReadBuffer, from: number, to: number): void {
  assertEquals(buffer.end - buffer.start, to - from);
  for (let i = from; i < to; i++) {
    if (buffer.bytes[buffer.start + i - from] !== (i & 0xff)) throw new Error(`byte ${i} differs`);
  }
}

Deno.test("a read buffer gives the bytes in order, however they are read and dealt with", () => {
  const step = fc.record({
    read: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 200_000 })),
    share: fc.constantFrom(0, 0, 0.1, 0.5, 0.99, 1, 1),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const buffer = new ReadBuffer();
      let [read, dealt] = [0, 0];
      for (const { read: count, share } of steps) {
        read += fill(buffer, read, count);
        assertHolds(buffer, dealt, read);
        const consumed = Math.floor((read - dealt) * share);
        buffer.consume(consumed);
        dealt += consumed;
        assertHolds(buffer, dealt, read);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("a read buffer always has room, and holds a fixed multiple of what was read", () => {
  const step = fc.record({
    read: fc.integer({ min: 1, max: 100_000 }),
    share: fc.constantFrom(0, 0, 0, 0.5, 1),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const buffer = new ReadBuffer();
      let read = 0;
      for (const { read: count, share } of steps) {
        assertGreater(buffer.free().length, 0);
        read += fill(buffer, read, count);
        // Never what a frame merely announces: doubled from what came, and what a read can use.
        assertLessOrEqual(buffer.bytes.length, Math.max(131_072, 8 * 2_048, 4 * read));
        buffer.consume(Math.floor((buffer.end - buffer.start) * share));
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("a read buffer has no memory before the first read, and little after it", () => {
  const buffer = new ReadBuffer();
  assertEquals(buffer.bytes.length, 0);
  buffer.free();
  assertLessOrEqual(buffer.bytes.length, 4_096);
});

Deno.test("a read buffer that reads fill grows to what a socket gives at once, and no further", () => {
  const buffer = new ReadBuffer();
  for (let read = 0; read < 10_000_000;) {
    read += fill(buffer, read, Infinity);
    buffer.consume(buffer.end - buffer.start);
  }
  assertEquals(buffer.free().length, 131_072);
});

Deno.test("a read buffer that was not filled stays as it is", () => {
  const buffer = new ReadBuffer();
  const size = buffer.free().length;
  for (let i = 0; i < 1_000; i++) {
    fill(buffer, i, 100);
    buffer.consume(100);
  }
  assertEquals(buffer.free().length, size);
});

Deno.test("a read buffer gives back the memory of a large frame once it is dealt with", () => {
  const buffer = new ReadBuffer();
  let read = 0;
  while (read < 20_000_000) read += fill(buffer, read, 65_536);
  assert(buffer.bytes.length >= 20_000_000);
  buffer.consume(read);
  assertLessOrEqual(buffer.free().length, 131_072);
  // A frame that follows a large one in the same read is not lost.
  for (let more = 0; more < 1_000_000;) more += fill(buffer, more, 65_536);
  const kept = buffer.end - buffer.start;
  buffer.consume(kept - 10);
  const last = buffer.bytes.slice(buffer.start, buffer.end);
  buffer.free();
  assertEquals(buffer.bytes.slice(buffer.start, buffer.end), last);
  assertLessOrEqual(buffer.bytes.length, 131_072);
});

Deno.test("a read buffer holds less after a burst", () => {
  const buffer = new ReadBuffer();
  for (let read = 0; read < 1_000_000;) {
    read += fill(buffer, read, Infinity);
    buffer.consume(buffer.end - buffer.start);
  }
  fill(buffer, 0, 100_000);
  buffer.consume(100_000);
  assertEquals(buffer.free().length, 131_072);
  fill(buffer, 0, 1_000);
  buffer.consume(1_000);
  assertEquals(buffer.free().length, 16_384);
});

Deno.test("memory that is lent is not read into until it is given back", () => {
  const buffer = new ReadBuffer();
  fill(buffer, 0, 1_000);
  const { memory } = buffer;
  memory.borrow();
  memory.borrow();
  const lent = buffer.bytes.slice(0, 900);
  buffer.consume(900);
  fill(buffer, 1_000, 500);
  assert(buffer.memory !== memory);
  assertHolds(buffer, 900, 1_500);
  assertEquals(memory.bytes.subarray(0, 900), lent);
  memory.giveBack();
  assert(memory.borrowed);
  memory.giveBack();
  assert(!memory.borrowed);
  // Memory that nobody borrows any more is read into again.
  const { memory: second } = buffer;
  buffer.consume(600);
  second.borrow();
  second.giveBack();
  buffer.free();
  assertStrictEquals(buffer.memory, second);
});

Deno.test("memory that was left while lent serves another reader after it, not before", () => {
  const grown = () => {
    const buffer = new ReadBuffer();
    for (let read = 0; buffer.free().length < 131_072;) {
      read += fill(buffer, read, Infinity);
      buffer.consume(buffer.end - buffer.start);
    }
    return buffer;
  };
  const lender = grown();
  const { memory } = lender;
  memory.borrow();
  lender.free();
  assert(grown().memory !== memory);
  memory.giveBack();
  assertStrictEquals(grown().memory, memory);
  assert(grown().memory !== memory);
});

Deno.test("where memory is tight a read buffer takes what a frame needs, not what makes reads fast", () => {
  const limit = { grow: () => false, need() {}, shrink() {}, isTight: true };
  const buffer = new ReadBuffer(limit, 512);
  for (let read = 0; read < 100_000;) {
    read += fill(buffer, read, Infinity);
    assertHolds(buffer, 0, read);
    buffer.free();
    assertLessOrEqual(buffer.bytes.length, 2 * read);
  }
});

Deno.test("where memory is tight a large frame is read as well, and its memory can go during a read", () => {
  const read = fc.record({ isTight: fc.boolean(), size: fc.integer({ min: 1, max: 200_000 }) });
  fc.assert(
    fc.property(fc.array(read, { minLength: 1, maxLength: 12 }), (reads) => {
      const limit = { grow: () => true, need() {}, shrink() {}, isTight: false };
      const buffer = new ReadBuffer(limit);
      let count = 0;
      for (const { isTight, size } of reads) {
        limit.isTight = isTight;
        count += fill(buffer, count, size);
      }
      assertHolds(buffer, 0, count);
      limit.isTight = true;
      const reading = buffer.free();
      const { bytes } = buffer;
      const isLarge = bytes.length > 131_072;
      buffer.release();
      // It goes back to the system, at once if it is larger than what a read that waits keeps.
      assertEquals(bytes.length, 0);
      if (isLarge) assertGreater(reading.length, 0);
      buffer.filled(1);
      assertHolds(buffer, 0, 0);
    }),
    { numRuns: 30 },
  );
});
