import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { FrameDecoder, HeaderCache } from "../../lib/frame/mod.ts";
import { assertSameJson, bytesOf, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";
import { decodeLikeASocket } from "./ways_in.ts";

Deno.test("a cache has room for 1 to 2^20 headers", () => {
  for (const capacity of [0, -1, 2 ** 20 + 1, NaN, Infinity]) {
    assertThrows(() => new HeaderCache(capacity), RangeError);
  }
  for (const capacity of [1, 3, 2 ** 20]) new HeaderCache(capacity);
});

Deno.test("find() gives what was added, and nothing for other bytes", () => {
  const header = new FrameDecoder().decode(plainFrame("x")).frames[0]!.header;
  const bytes = bytesOf(`..${headerText(1)}..`);
  const end = bytes.length - 2;
  const cache = new HeaderCache(4);
  assertEquals(cache.find(bytes, 2, end), undefined);
  cache.add(bytes, 2, end, header);
  assertStrictEquals(cache.find(bytes, 2, end), header);
  assertStrictEquals(cache.find(bytes.slice(2, end), 0, end - 2), header);
  assertEquals(cache.find(bytes, 2, end - 1), undefined);
  assertEquals(cache.find(bytes, 1, end), undefined);
  for (let at = 2; at < end; at++) {
    const other = bytes.slice();
    other[at]! ^= 1;
    assertEquals(cache.find(other, 2, end), undefined, `byte ${at}`);
  }
});

Deno.test("add() copies the bytes", () => {
  const header = new FrameDecoder().decode(plainFrame("x")).frames[0]!.header;
  const cache = new HeaderCache(4);
  const bytes = bytesOf(headerText(1));
  cache.find(bytes, 0, bytes.length);
  cache.add(bytes, 0, bytes.length, header);
  const copy = bytes.slice();
  bytes.fill(0);
  assertStrictEquals(cache.find(copy, 0, copy.length), header);
  assertEquals(cache.find(bytes, 0, bytes.length), undefined);
});

Deno.test("decoders that share a cache share the headers", () => {
  const headerCache = new HeaderCache(8);
  const [a, b] = [new FrameDecoder({ headerCache }), new FrameDecoder({ headerCache })];
  const frame = plainFrame("x", ',"id":1');
  const first = a.decode(frame).frames[0]!;
  assertStrictEquals(b.decode(frame.slice()).frames[0]?.header, first.header);
});

Deno.test("decoders do not share headers unless told to", () => {
  const frame = plainFrame("x");
  const first = new FrameDecoder().decode(frame).frames[0]!;
  const second = new FrameDecoder().decode(frame).frames[0]!;
  assert(first.header !== second.header);
});

Deno.test("a broken header is broken each time it comes", () => {
  const headerCache = new HeaderCache(8);
  for (const text of ["{}", "{", headerText('"1"'), headerText(-1)]) {
    for (let i = 0; i < 3; i++) {
      const { frames, error } = new FrameDecoder({ headerCache }).decode(rawFrame(text));
      assertEquals(frames.length, 0);
      assertNotEquals(error, undefined);
    }
  }
});

Deno.test("a header that one decoder's limits allow is still too large for another", () => {
  const headerCache = new HeaderCache(8);
  const frame = plainFrame("content");
  for (let i = 0; i < 3; i++) {
    assertEquals(new FrameDecoder({ headerCache }).decode(frame).frames.length, 1);
    for (const options of [{ maxContentBytes: 6 }, { maxHeaderBytes: 20 }]) {
      const { frames, error } = new FrameDecoder({ ...options, headerCache }).decode(frame);
      assertEquals([frames.length, error?.code], [0, "frame-too-large"]);
    }
  }
});

Deno.test("what one decoder was sent does not change the headers of another", () => {
  const headerCache = new HeaderCache(8);
  const odd = headerText(
    1,
    ',"content-type":"evil/type","content-encoding":"latin-1","byteorder":"big"',
  );
  new FrameDecoder({ headerCache }).decode(join(rawFrame(odd, "x"), plainFrame("xx")));
  const { frames } = new FrameDecoder({ headerCache }).decode(plainFrame("xx"));
  assertSameJson(frames[0]?.header, JSON.parse(headerText(2)));
});

Deno.test("frames are the same for any capacity", () => {
  const oneHeader = fc.tuple(
    fc.constantFrom(0, 1, 2, 9, 10, 11),
    fc.constantFrom(
      "",
      ',"id":1',
      ',"id":2',
      ',"id":10',
      ',"a":"x"',
      ',"a":"y"',
      ',"b":[1]',
      ' ,"é":1 ',
    ),
  );
  fc.assert(
    fc.property(
      fc.array(oneHeader, { minLength: 1, maxLength: 80 }),
      fc.constantFrom(1, 2, 3, 4, 64),
      (headers, capacity) => {
        const texts = headers.map(([length, extra]) => headerText(length, extra));
        const bytes = join(...texts.map((text, i) => rawFrame(text, "x".repeat(headers[i]![0]))));
        const headerCache = new HeaderCache(capacity);
        const { frames, errors } = decodeLikeASocket([bytes], { headerCache });
        assertEquals([frames.length, errors.length], [headers.length, 0]);
        for (const [i, text] of texts.entries()) {
          assertSameJson(frames[i]?.header, JSON.parse(text));
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("many headers that differ, then some that do not, come out right", () => {
  const headerCache = new HeaderCache(32);
  const decoder = new FrameDecoder({ headerCache });
  const texts = [];
  for (let i = 0; i < 5_000; i++) {
    texts.push(headerText(1, `,"trace":"${(i * 7919).toString(36)}"`));
  }
  for (let i = 0; i < 5_000; i++) texts.push(headerText(1, `,"trace":"again"`));
  const { frames } = decoder.decode(join(...texts.map((text) => rawFrame(text, "x"))));
  for (const [i, frame] of frames.entries()) {
    assertEquals(frame.header["trace"], JSON.parse(texts[i]!).trace);
  }
  assertStrictEquals(frames.at(-1)?.header, frames.at(-2)?.header);
});

Deno.test("decoders that share a cache and take turns give what each would alone", () => {
  const step = fc.tuple(
    fc.nat(2),
    fc.constantFrom(',"id":1', ',"id":2', ',"t":"a"', ',"t":"b"', ""),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 60 }),
      (steps, capacity, piece) => {
        const headerCache = new HeaderCache(capacity);
        const decoders = [0, 1, 2].map(() => new FrameDecoder({ headerCache }));
        const pending = [0, 1, 2].map(() => new Uint8Array(0));
        const got: string[][] = [[], [], []];
        const expected: string[][] = [[], [], []];
        for (const [who, extra] of steps) {
          expected[who]!.push(headerText(1, extra));
          pending[who] = join(pending[who]!, rawFrame(headerText(1, extra), "x"));
          for (const last of [false, true]) {
            const bytes: Uint8Array<ArrayBuffer> = pending[who]!;
            const end = last ? bytes.length : Math.min(piece, bytes.length);
            const { frames, consumed } = decoders[who]!.decode(bytes, 0, end);
            pending[who] = bytes.slice(consumed);
            got[who]!.push(...frames.map((frame) => JSON.stringify(frame.header)));
          }
        }
        assertEquals(got, expected);
      },
    ),
    { numRuns: 300 },
  );
});
