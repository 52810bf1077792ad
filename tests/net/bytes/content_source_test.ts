import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ContentStreamError } from "../../../lib/frame/mod.ts";
import { ContentSource } from "../../../lib/net/bytes/content_source.ts";
import {
  contentStream,
  type Step,
  STREAM_KINDS,
  type StreamKind,
} from "../../support/content_streams.ts";
import { deadline, pause } from "../../support/deadline.ts";
import { cut, join } from "../../frame/raw_frames.ts";

function bytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => i & 0xff);
}

async function readAll(source: ContentSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  // Copied: a chunk is good until the next one.
  for (let c = await source.next(); c; c = await source.next()) chunks.push(c.slice());
  return join(...chunks);
}

/** Reads a stream of which `expected` bytes are due; how it failed, and how much came before. */
async function failure(steps: Iterable<Step>, expected: number, kind: StreamKind, timeoutMs = 0) {
  const { stream, cancelled } = contentStream(steps, kind);
  const source = new ContentSource(stream, expected, timeoutMs);
  let passed = 0;
  const reading = (async () => {
    for (let c = await source.next(); c; c = await source.next()) passed += c.length;
  })();
  const error = await assertRejects(() => deadline(reading), ContentStreamError);
  // It stays so.
  assertStrictEquals(await source.next().catch((e) => e), error);
  return { error, passed, cancelled };
}

for (const kind of STREAM_KINDS) {
  Deno.test(`${kind}: all bytes come, however they are cut`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2_000 }),
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 8 }),
        async (count, sizes) => {
          const { stream, cancelled } = contentStream(cut(bytes(count), sizes), kind);
          const source = new ContentSource(stream, count, 0);
          assertEquals(await readAll(source), bytes(count));
          assertEquals(await source.next(), undefined);
          assertEquals(cancelled, []);
        },
      ),
    );
  });

  Deno.test(`${kind}: a stream that gives more than was read at once comes whole`, async () => {
    const count = 1_000_003;
    const { stream } = contentStream([bytes(count)], kind);
    assertEquals(await readAll(new ContentSource(stream, count, 0)), bytes(count));
  });

  Deno.test(`${kind}: less than was said is an error that names both figures`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 4 }),
        async (count, missing, sizes) => {
          const expected = count + missing;
          const { error, passed } = await failure(cut(bytes(count), sizes), expected, kind);
          assertEquals([error.code, error.given, error.expected], ["too-short", count, expected]);
          assert(error.message.includes(`${count} of ${expected} bytes`), error.message);
          assertEquals(passed, count);
        },
      ),
    );
  });

  Deno.test(`${kind}: more than was said is an error, and the last bytes are kept back`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 4 }),
        async (expected, surplus, sizes) => {
          const steps = cut(bytes(expected + surplus), sizes);
          const { error, passed, cancelled } = await failure(steps, expected, kind);
          assertEquals([error.code, error.expected], ["too-long", expected]);
          assert(error.given > expected && error.given <= expected + surplus);
          assert(error.message.includes(`${error.given} bytes`), error.message);
          assert(error.message.includes(`content-length is ${expected}`), error.message);
          assert(expected === 0 ? passed === 0 : passed < expected, `${passed} of ${expected}`);
          assertEquals(cancelled, [error]);
        },
      ),
    );
  });

  Deno.test(`${kind}: a stream that fails is told of with its own error`, async () => {
    const cause = new Error("the disk is gone");
    for (const count of [0, 1, 500]) {
      const { error, passed } = await failure([bytes(count), cause], 1_000, kind);
      assertStrictEquals(error.cause, cause);
      assertEquals([error.code, passed], ["failed", count]);
      assertEquals(
        error.message,
        `The stream of content failed: the disk is gone, after ${count} of 1000 bytes`,
      );
    }
  });

  Deno.test(`${kind}: a stream that hangs is given up, also at its end`, async () => {
    for (const count of [0, 1, 999, 1_000]) {
      const { error, passed, cancelled } = await failure([bytes(count), "hang"], 1_000, kind, 20);
      assertEquals([error.code, error.given], ["timed-out", count]);
      // The last bytes are not passed on before the stream has ended.
      assertEquals(passed, count === 1_000 ? 0 : count);
      assertEquals(cancelled, [error]);
    }
  });

  Deno.test(`${kind}: cancelling reaches the stream, and whoever waits for its bytes`, async () => {
    for (const before of [0, 1, 2]) {
      const steps: Step[] = [bytes(10), bytes(10), "hang"];
      const { stream, cancelled } = contentStream(steps, kind);
      const source = new ContentSource(stream, 100, 0);
      for (let i = 0; i < before; i++) assertEquals((await source.next())?.length, 10);
      const waiting = before === 2 ? source.next().catch((error) => error) : undefined;
      source.cancel("not wanted");
      source.cancel("once only");
      if (waiting) assertEquals(await deadline(waiting), "not wanted");
      assertEquals(await source.next().catch((error) => error), "not wanted");
      assertEquals(cancelled, ["not wanted"]);
    }
  });
}

Deno.test("a stream that is slow, but never for too long, comes whole", async () => {
  let left = 80;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await pause(5);
      controller.enqueue(new Uint8Array(5));
      if (--left === 0) controller.close();
    },
  }, { highWaterMark: 0 });
  // In all it takes longer than the limit.
  const source = new ContentSource(stream, 400, 350);
  assertEquals((await deadline(readAll(source))).length, 400);
});

Deno.test("a chunk that is no array of bytes is refused", async () => {
  for (const wrong of ["text", 5, null, undefined, [1, 2], new ArrayBuffer(4), new Int16Array(2)]) {
    const stream = ReadableStream.from([bytes(3), wrong as unknown as Uint8Array]);
    const source = new ContentSource(stream, 5, 0);
    assertEquals((await source.next())?.length, 3);
    const error = await assertRejects(() => source.next(), ContentStreamError);
    assertEquals(error.code, "wrong-chunk");
    assert(error.message.includes("after 3 of 5 bytes"), error.message);
  }
});

Deno.test("a stream that has a reader is refused", () => {
  for (const kind of STREAM_KINDS) {
    const { stream } = contentStream([], kind);
    const reader = stream.getReader();
    assertThrows(() => new ContentSource(stream, 0, 0), TypeError);
    reader.releaseLock();
  }
});

Deno.test("a byte stream is read into one memory", async () => {
  const { stream } = contentStream([bytes(10), bytes(20), bytes(30)], "filling bytes");
  const source = new ContentSource(stream, 60, 0);
  const first = await source.next();
  assertEquals(first?.length, 10);
  const second = await source.next();
  // The first chunk's memory went into the second read.
  assertEquals([first?.length, second?.length], [0, 20]);
});

for (const size of [0, 1]) {
  Deno.test(`others have their turn beside a stream that has chunks of ${size} bytes ready`, async () => {
    const chunk = new Uint8Array(size);
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
    const source = new ContentSource(stream, 1e9, 50);
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks === 3) source.cancel("enough");
    }, 1);
    const reading = (async () => {
      while (await source.next());
    })();
    const error = await deadline(reading.catch((error) => error));
    clearInterval(timer);
    // One that gives nothing at all may time out first.
    assert(error === "enough" || error.code === "timed-out", String(error));
  });
}

Deno.test("a stream that gives nothing but empty chunks times out", async () => {
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(0)),
  });
  const source = new ContentSource(stream, 10, 20);
  const error = await assertRejects(() => deadline(source.next()), ContentStreamError);
  assertEquals(error.code, "timed-out");
});
