import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { type FrameEvent, watchFrames } from "../../lib/capture/mod.ts";
import { ROOT } from "../support/programs.ts";
import { action, answer, CONNECTION, ping, text, watched } from "./watched.ts";

interface Vectors {
  readonly valid: readonly {
    readonly name: string;
    readonly frameHex: string;
    readonly header: Record<string, unknown>;
    readonly contentHex: string;
  }[];
  readonly invalid: readonly {
    readonly name: string;
    readonly frameHex: string;
    readonly code: string;
  }[];
}

const vectors: Vectors = JSON.parse(
  Deno.readTextFileSync(`${ROOT}tests/vectors/frames.json`),
);

Deno.test("every frame of the vectors is seen as it is, split at each byte", () => {
  for (const { name, frameHex, header, contentHex } of vectors.valid) {
    const bytes = Uint8Array.fromHex(frameHex);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { up, end, frames, told } = watched();
      up(bytes.subarray(0, cut));
      up(bytes.subarray(cut));
      up(ping(1));
      end();
      assertEquals(frames.length, 2, `${name}, split at ${cut}: ${told}`);
      assertEquals(frames[0]!.frame.header, header as never, name);
      assertEquals(frames[0]!.frame.content.toHex(), contentHex, name);
      assertEquals(frames[0]!.frame.bytes, bytes.length);
      assertEquals(frames[1]!.frame.offset, bytes.length);
    }
  }
});

Deno.test("every broken frame of the vectors is told by its code, split at each byte; the next one is found", () => {
  for (const { name, frameHex, code } of vectors.invalid) {
    // The watch has no limit of a content's size, so that it can wait for all of this one.
    if (code === "frame-too-large") continue;
    const bytes = Uint8Array.fromHex(frameHex);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { up, end, told, frames } = watched();
      up(bytes.subarray(0, cut));
      up(bytes.subarray(cut));
      if (code !== "truncated") up(ping(1));
      end();
      assertEquals(told[0], `${code} at 0`, `${name}, split at ${cut}`);
      if (code === "truncated") continue;
      assertEquals(frames.length, 1, `${name}, split at ${cut}: ${told}`);
      assertEquals(frames[0]!.frame.offset, bytes.length, name);
      assertEquals(told[1], `skipped ${bytes.length} at 0 after a broken frame`);
    }
  }
});

Deno.test("frames are found again where a stream begins in the middle, in pieces of any size", () => {
  const tail = text("pub", "a long content of a publication").subarray(90);
  const stream = concat([tail, ping(1), text("pub", "two"), ping(3)]);
  for (let size = 1; size < 100; size++) {
    const { up, end, told } = watched(false);
    for (let at = 0; at < stream.length; at += size) up(stream.subarray(at, at + size));
    end();
    const first = tail.length;
    assertEquals(told.slice(0, 2), [
      `skipped ${first} at 0 began in the middle`,
      `ping at ${first}`,
    ], `pieces of ${size}`);
    assertEquals(told.length, 5);
  }
});

Deno.test("a gap inside a content costs that frame's bytes; one elsewhere, the way to the next frame", () => {
  const frame = text("pub", "0123456789");
  const inside = watched();
  inside.up(frame.subarray(0, -7));
  inside.gap(5);
  inside.up(frame.subarray(-2));
  inside.up(ping(2));
  inside.end();
  const size = frame.length;
  assertEquals(inside.told, [
    `gap 5 at ${size - 7}`,
    "pub at 0 incomplete",
    `ping at ${size}`,
    "closed, 1 unanswered",
  ]);
  assertEquals(inside.contents[0], "012");
  const elsewhere = watched();
  elsewhere.up(frame.subarray(0, 20));
  elsewhere.gap(size - 30);
  elsewhere.up(concat([frame.subarray(-10), ping(2)]));
  elsewhere.end();
  assertEquals(elsewhere.told, [
    `gap ${size - 30} at 20`,
    "truncated at 0",
    `skipped 10 at ${size - 10} after a gap`,
    `ping at ${size}`,
    "closed, 1 unanswered",
  ]);
  const toTheEnd = watched();
  toTheEnd.up(frame.subarray(0, -7));
  toTheEnd.gap(7);
  toTheEnd.up(ping(2));
  assertEquals(toTheEnd.told.slice(1), ["pub at 0 incomplete", `ping at ${size}`]);
});

Deno.test("answers are paired with their requests: in order, by id, by the reply's topic", () => {
  const { up, down, end, told, frames } = watched();
  up(concat([action("search"), action("get")]));
  down(answer());
  down(answer({ error: { code: "not-found", message: "" } }));
  up(text("pub", "q", { id: 7, topic: "ask", "reply-to": "_inbox.a.1" }));
  down(text("pub", "r", { topic: "_inbox.a.1", id: 7 }));
  down(encodeFrame({ header: { op: "ok", id: 7 } }));
  down(ping(7));
  up(encodeFrame({ header: { op: "pong", id: 7 } }));
  up(encodeFrame({ header: { op: "sub", id: 8, topic: "x" } }));
  down(encodeFrame({ header: { op: "error", id: 8, code: "bad-filter", message: "" } }));
  up(action("put"));
  end();
  const latencies = told.filter((line) => line.startsWith("answers"));
  assertEquals(latencies, [
    "answers search after 1",
    "answers get after 2",
    "answers pub after 1",
    "answers pub after 2",
    "answers ping after 1",
    "answers sub after 1",
  ]);
  assertEquals(told.at(-1), "closed, 1 unanswered");
  assertEquals(frames.map(({ error }) => error).filter((code) => code !== undefined), [
    "not-found",
    "bad-filter",
  ]);
});

Deno.test("of requests that nobody answers the oldest are forgotten; an answer that comes is paired", () => {
  const answered: unknown[] = [];
  let unanswered = 0;
  // It does little with each frame: they are many.
  const watch = watchFrames({
    frame({ answers }) {
      if (answers) answered.push(answers);
    },
    closed: (_, __, ___, counts) => void (unanswered = counts.unanswered),
  });
  watch.opened(CONNECTION, 0);
  const up = (bytes: Uint8Array) => watch.bytes(CONNECTION, "up", bytes, 1_000);
  const request = encodeFrame(jsonFrame({ action: "a" }));
  const batch = concat(Array(1_000).fill(request));
  for (let i = 0; i < 140; i++) up(batch);
  up(encodeFrame({ header: { op: "sub", id: 5 } }));
  for (let id = 10; id < 20; id++) up(ping(id));
  watch.bytes(CONNECTION, "down", encodeFrame({ header: { op: "pong", id: 19 } }), 2_000);
  assertEquals(answered, [{ kind: "ping", latencyMs: 1 }]);
  watch.closed(CONNECTION, "closed", 3_000);
  assert(unanswered > 100_000 && unanswered <= 131_072, `${unanswered}`);
});

Deno.test("of a large content only the first bytes are kept", () => {
  const { up, end, frames } = watched(true, 100);
  const content = new Uint8Array(70_000).map((_, i) => i);
  const frame = encodeFrame({ header: { "content-type": "x/y" }, content });
  for (let at = 0; at < frame.length; at += 999) up(frame.subarray(at, at + 999));
  end();
  const [{ frame: seen }] = frames as [FrameEvent];
  assertEquals([seen.content.length, seen.isWhole, seen.bytes], [100, false, frame.length]);
  assertEquals(seen.content, content.subarray(0, 100));
});

Deno.test("what thousands of unfinished frames hold has a bound; each is seen all the same", () => {
  const content = new Uint8Array(65_000);
  const frame = encodeFrame({ header: { op: "pub", topic: "a" }, content });
  // Its header is longer than what is there of it.
  const head = Uint8Array.from([0xff, 0xff, 0x7b, 0x22, ...Array(60_000).fill(0x61)]);
  let [frames, keptBytes, broken, skippedBytes] = [0, 0, 0, 0];
  const watch = watchFrames({
    frame({ frame }) {
      frames++;
      keptBytes += frame.content.length;
    },
    broken: ({ code }) => void (code === "frame-too-large" && broken++),
    skipped: (count) => void (skippedBytes += count),
  });
  const connections = Array.from({ length: 2_000 }, (_, i) => ({ ...CONNECTION, id: i + 1 }));
  for (const connection of connections) {
    watch.opened(connection, 0);
    watch.bytes(connection, "up", frame.subarray(0, -1), 0);
    watch.bytes(connection, "down", head, 0);
  }
  for (const connection of connections) {
    watch.bytes(connection, "up", frame.subarray(-1), 0);
    watch.bytes(connection, "up", ping(1), 0);
    watch.closed(connection, "closed", 0);
  }
  assertEquals(frames, 4_000);
  assert(keptBytes > 1_000_000 && keptBytes < 33_554_432, `${keptBytes}`);
  assert(broken > 1_000 && broken < 2_000 && skippedBytes === broken * head.length, `${broken}`);
});

Deno.test("any cuts give the same frames, and any bytes give frames or broken ones, never anything else", () => {
  const frames = [ping(1), text("pub", "one"), action("get"), answer(), text("pub", "🐶")];
  const model = fc.record({
    garbage: fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc.constantFrom(
          '{"',
          '\0\x09{"a": 1}',
          "\x16\x03\x01",
          '{"byteorder"',
          "\0\0",
          "\x7b\x7b{{",
        )
          .map((each) => new TextEncoder().encode(each)),
        fc.constantFrom(...frames),
      ),
      { maxLength: 12 },
    ),
    sizes: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 10 }),
    fromStart: fc.boolean(),
  });
  fc.assert(fc.property(model, ({ garbage, sizes, fromStart }) => {
    const stream = concat([...garbage, ping(99)]);
    const run = (cut: boolean) => {
      const { up, end, told, frames } = watched(fromStart);
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cut ? sizes[i % sizes.length]! : stream.length;
        up(stream.subarray(at, at + size));
        at += size;
      }
      end();
      return { told, frames };
    };
    const whole = run(false);
    assertEquals(run(true).told, whole.told);
    // Every byte is in a frame, or was told of.
    const inFrames = whole.frames.reduce((sum, { frame }) => sum + frame.bytes, 0);
    const skipped = whole.told.map((line) => Number(/^skipped (\d+)/.exec(line)?.[1] ?? 0))
      .reduce((a, b) => a + b, 0);
    const isCut = whole.told.some((line) => line.startsWith("truncated"));
    assert(isCut || inFrames + skipped === stream.length, whole.told.join("\n"));
  }));
});

Deno.test("bytes that look like headers again and again do not take long", () => {
  const patterns = ['{"a":', '{"', "}}{{", '\x22{"x":1}'];
  for (const pattern of patterns) {
    const { up, end } = watched(false);
    const bytes = new TextEncoder().encode(pattern.repeat(200_000 / pattern.length));
    const before = performance.now();
    for (let at = 0; at < bytes.length; at += 16_384) up(bytes.subarray(at, at + 16_384));
    end();
    // Each try of a header would take 100 µs, of which there are 50,000.
    assert(performance.now() - before < 2_000, `${pattern}: ${performance.now() - before} ms`);
  }
});
