import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Direction, readCapture } from "../../lib/capture/mod.ts";
import { deadline } from "../support/deadline.ts";
import {
  ACK,
  FIN,
  packetsOf,
  pcap,
  pcapng,
  PSH,
  readAll,
  RST,
  sourceOf,
  type Step,
  SYN,
} from "./packets.ts";

/** A conversation from its first SYN to its last FIN. */
const WHOLE: readonly Step[] = [
  { way: "up", seq: 99, flags: SYN },
  { way: "down", seq: 499, flags: SYN | ACK, ack: 100 },
  { way: "up", seq: 100, ack: 500, text: "hello" },
  { way: "down", seq: 500, ack: 105, text: "world!" },
  { way: "up", seq: 105, ack: 506, flags: FIN | ACK },
  { way: "down", seq: 506, ack: 106, flags: FIN | ACK },
  { way: "up", seq: 106, ack: 507, flags: ACK },
];

Deno.test("captures of every link type, byte order and time unit are read, in pieces of any size", async () => {
  for (const linkType of [0, 1, 12, 14, 101, 108, 113, 276]) {
    for (const version of [4, 6] as const) {
      const packets = packetsOf(WHOLE, linkType, version);
      const files = [
        pcap(packets, { linkType }),
        pcap(packets, { linkType, little: false }),
        pcap(packets, { linkType, nano: true }),
        pcapng(packets, { linkType }),
        pcapng(packets, { linkType, little: false, resolution: 9 }),
        pcapng(packets, { linkType, resolution: 0x80 | 20 }),
        pcapng(packets, { linkType, old: true }),
      ];
      for (const [i, file] of files.entries()) {
        const { seen, packets, damage, unfinishedBytes } = await readAll(file, i % 2 ? 11 : 1e6);
        const what = `link ${linkType}, IPv${version}, file ${i}`;
        assertEquals([damage, unfinishedBytes, packets, seen.length], [undefined, 0, 7, 1], what);
        const [{ up, down, connection, ended, how, times }] = seen as [typeof seen[0]];
        assertEquals([up, down, ended, how], [["hello"], ["world!"], "up down ", "closed"], what);
        assertEquals(connection.client, version === 4 ? "10.0.0.1:50000" : "[2001:db8::1]:50000");
        assertEquals(connection.server.endsWith(":5634"), true);
        // Units of 2^-20 s are not whole microseconds.
        const near = times.map((time) => Math.round(time / 10) * 10);
        assertEquals(near, [1_002_000, 1_003_000], what);
      }
    }
  }
});

/** What a story gives: both directions, with gaps as numbers. */
async function story(steps: readonly Step[]) {
  const { seen, repeatedBytes } = await readAll(pcap(packetsOf(steps)));
  return { seen, repeatedBytes, up: seen[0]?.up, down: seen[0]?.down, how: seen[0]?.how };
}

const START: readonly Step[] = WHOLE.slice(0, 2);

Deno.test("what was sent again, in other pieces or before its turn, is there once and in order", async () => {
  const again = await story([
    ...START,
    { way: "up", seq: 99, flags: SYN },
    { way: "up", seq: 104, text: "5678" },
    { way: "up", seq: 108, text: "9" },
    { way: "up", seq: 102, text: "345" },
    { way: "up", seq: 100, text: "1234" },
    { way: "up", seq: 100, text: "123456789" },
    { way: "up", seq: 107, text: "89abc" },
    { way: "up", seq: 111, text: "c" },
    { way: "up", seq: 111, text: "c", flags: ACK },
  ]);
  assertEquals(again.up, ["123456789abc"]);
  assert(again.repeatedBytes > 10);
});

Deno.test("sequence numbers wrap within a segment, between two, and out of order", async () => {
  const base = 0xffff_fffa;
  const wrapped = await story([
    { way: "up", seq: base - 1, flags: SYN },
    { way: "down", seq: 0xffff_ffff, flags: SYN | ACK, ack: base },
    { way: "up", seq: base, text: "abcd" },
    { way: "up", seq: base + 8, text: "ijkl" },
    { way: "up", seq: base + 4, text: "efgh" },
    { way: "down", seq: 0, text: "x" },
    { way: "up", seq: base + 2, text: "cdef" },
    { way: "up", seq: base + 12, flags: FIN | ACK },
    { way: "down", seq: 1, flags: FIN | ACK },
  ]);
  assertEquals([wrapped.up, wrapped.down, wrapped.how], [["abcdefghijkl"], ["x"], "closed"]);
});

Deno.test("a gap is told, by its size, and the bytes around it are not joined", async () => {
  const lost = [{ way: "up", seq: 100, text: "ab" }, { way: "up", seq: 105, text: "fg" }] as const;
  const ends: Record<string, readonly Step[]> = {
    "the file ends": [],
    "a reset": [{ way: "up", seq: 107, flags: RST }],
    "both ended": [
      { way: "up", seq: 107, flags: FIN | ACK },
      { way: "down", seq: 500, ack: 108, flags: FIN | ACK },
      { way: "up", seq: 108, ack: 501, flags: ACK, us: 2e6 },
      { way: "down", seq: 501, ack: 108, flags: ACK, us: 3e6 },
    ],
    "acknowledged, and time went by": [
      { way: "down", seq: 500, ack: 107, flags: ACK, us: 1_010_000 },
      { way: "down", seq: 500, ack: 107, flags: ACK, us: 1_200_000 },
    ],
  };
  for (const [name, steps] of Object.entries(ends)) {
    assertEquals((await story([...START, ...lost, ...steps])).up, ["ab", 3, "fg"], name);
  }
  // Lost at the very start, and at the end, where only the FIN tells of it.
  const edges = await story([
    ...START,
    { way: "up", seq: 103, text: "de" },
    { way: "up", seq: 110, flags: FIN | ACK },
  ]);
  assertEquals(edges.up, [3, "de", 5]);
});

Deno.test("what was acknowledged, but captured late, is no gap", async () => {
  const late = await story([
    ...START,
    { way: "up", seq: 102, text: "cd" },
    { way: "down", seq: 500, ack: 104, flags: ACK },
    { way: "down", seq: 500, ack: 104, flags: ACK },
    { way: "up", seq: 100, text: "ab" },
  ]);
  assertEquals(late.up, ["abcd"]);
});

Deno.test("packets that were cut off leave a gap of what they lack", async () => {
  const [first, second] = packetsOf([
    { way: "up", seq: 100, text: "0123456789" },
    { way: "up", seq: 110, text: "abc" },
  ]);
  const cut = { ...first!, bytes: first!.bytes.slice(0, -4), originalBytes: first!.bytes.length };
  const { seen } = await readAll(pcap([cut, second!]));
  assertEquals(seen[0]!.up, ["012345", 4, "abc"]);
});

Deno.test("a connection that began before the capture, or in which one side is missing, is read", async () => {
  const middle = await story(WHOLE.slice(3));
  assertEquals([middle.down, middle.how], [["world!"], "closed"]);
  assertEquals(middle.seen[0]!.connection.fromStart, false);
  assertEquals(middle.seen[0]!.connection.client, "10.0.0.1:50000");
  const answerFirst = await story(WHOLE.slice(1));
  assertEquals([answerFirst.up, answerFirst.down], [["hello"], ["world!"]]);
  assertEquals(answerFirst.seen[0]!.connection.fromStart, true);
  const oneWay = await story(WHOLE.filter(({ way }) => way === "down"));
  assertEquals([oneWay.up, oneWay.down, oneWay.how], [[], ["world!"], "open"]);
});

Deno.test("ports that are used again make another connection, late packets do not", async () => {
  const { seen } = await story([
    ...WHOLE,
    { way: "up", seq: 100, text: "hello" },
    { way: "down", seq: 506, flags: FIN | ACK },
    { way: "up", seq: 7_000, flags: SYN },
    { way: "up", seq: 7_001, text: "second" },
    { way: "up", seq: 9_000, flags: SYN },
    { way: "up", seq: 9_001, text: "third" },
    { way: "up", seq: 9_006, flags: RST },
    { way: "up", seq: 5, flags: RST },
    { way: "down", seq: 5, flags: ACK },
  ]);
  assertEquals(seen.map(({ up, how }) => [up[0], how]), [
    ["hello", "closed"],
    ["second", "replaced"],
    ["third", "reset"],
  ]);
});

Deno.test("what is no segment of TCP is counted, by the reason", async () => {
  const [good] = packetsOf([{ way: "up", seq: 1, text: "x" }]);
  const change = (at: number, value: number, size = good!.bytes.length) => {
    const bytes = good!.bytes.slice(0, size);
    bytes[at] = value;
    return { us: 0, bytes, originalBytes: good!.bytes.length };
  };
  const { skippedPackets, packets, seen } = await readAll(pcap([
    change(9, 17), // UDP.
    change(0, 0x56), // No version of IP.
    change(6, 0x20), // More fragments.
    change(7, 5), // Not the first one.
    change(0, 0x46, 30),
    change(0, 0x46, 12),
    { us: 0, bytes: new Uint8Array(0) },
    good!,
  ]));
  assertEquals([packets, seen.length], [8, 1]);
  assertEquals(skippedPackets, { other: 3, fragment: 2, cut: 2 });
  const radio = await readAll(pcap([good!], { linkType: 127 }));
  assertEquals([radio.unknownLinkTypes, radio.seen], [[127], []]);
});

/** Cuts a text into segments, some of them sent again, and shuffles those that are near each other. */
const anySending = fc.record({
  text: fc.string({ minLength: 1, maxLength: 200 }),
  base: fc.constantFrom(0, 100, 0x7fff_fff0, 0xffff_fff0, 0xffff_ffff),
  cuts: fc.array(fc.record({ at: fc.nat(200), size: fc.integer({ min: 1, max: 40 }) }), {
    maxLength: 30,
  }),
  order: fc.array(fc.nat(5), { minLength: 60, maxLength: 60 }),
});

Deno.test("any order of any pieces gives the same stream", async () => {
  await fc.assert(fc.asyncProperty(anySending, async ({ text, base, cuts, order }) => {
    const bytes = new TextEncoder().encode(text);
    const pieces = [...cuts];
    // All of it is sent at least once.
    for (let at = 0; at < bytes.length; at += 17) pieces.push({ at, size: 17 });
    const steps = pieces.map(({ at, size }): Step => ({
      way: "up",
      seq: base + 1 + Math.min(at, bytes.length),
      text: bytes.slice(at, at + size),
    })).map((step, i) => ({ step, key: i + (order[i % order.length] ?? 0) }))
      .sort((a, b) => a.key - b.key).map(({ step }) => step);
    const all: Step[] = [
      { way: "up", seq: base, flags: SYN },
      ...steps,
      { way: "up", seq: base + 1 + bytes.length, flags: FIN | ACK },
    ];
    const { up } = await story(all);
    assertEquals(up, [Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")]);
  }));
});

Deno.test("whatever is missing, what is there stands at its place, with gaps between", async () => {
  const model = fc.record({
    parts: fc.array(fc.record({ size: fc.integer({ min: 1, max: 9 }), lost: fc.boolean() }), {
      minLength: 1,
      maxLength: 30,
    }),
    base: fc.constantFrom(5, 0xffff_fff5),
    chunkBytes: fc.integer({ min: 1, max: 200 }),
  });
  await fc.assert(fc.asyncProperty(model, async ({ parts, base, chunkBytes }) => {
    const steps: Step[] = [{ way: "up", seq: base, flags: SYN }];
    const expected: (string | number)[] = [];
    let seq = base + 1;
    for (const { size, lost } of parts) {
      const text = "abcdefghi".slice(0, size);
      const last = expected.at(-1);
      if (lost) {
        if (typeof last === "number") expected[expected.length - 1] = last + size;
        else expected.push(size);
      } else {
        steps.push({ way: "up", seq, text });
        if (typeof last === "string") expected[expected.length - 1] = last + text;
        else expected.push(text);
      }
      seq += size;
    }
    steps.push({ way: "up", seq, flags: FIN | ACK });
    const { seen } = await readAll(pcapng(packetsOf(steps)), chunkBytes);
    assertEquals(seen[0]!.up, expected);
  }));
});

Deno.test("a file that ends anywhere is read up to its last whole packet", async () => {
  for (const file of [pcap(packetsOf(WHOLE)), pcapng(packetsOf(WHOLE))]) {
    let before = 0;
    for (let size = 4; size <= file.length; size++) {
      const { packets, damage, format, unfinishedBytes } = await readAll(file.slice(0, size), 50);
      assertEquals(damage, undefined);
      assert(format !== "bytes" && packets >= before && unfinishedBytes < 100);
      before = packets;
    }
    assertEquals(before, WHOLE.length);
  }
});

Deno.test("damage is told with its place, and what stands before it is read; nothing else is thrown", async () => {
  const file = pcapng(packetsOf(WHOLE));
  const broken = file.slice();
  broken[file.length - 40] = 0xff; // In the last packet's block.
  const { packets, damage } = await readAll(broken);
  assert(packets >= WHOLE.length - 1);
  for (const size of [0, 3, 13, 0x0200_0000]) {
    const wrong = file.slice();
    new DataView(wrong.buffer).setUint32(4, size, true);
    const { damage } = await readAll(wrong);
    assertEquals(damage?.code, "bad-capture");
    assert(damage!.message.includes("at byte 0"), damage!.message);
  }
  assert(damage === undefined || damage.code === "bad-capture");
  const anyChange = fc.record({
    at: fc.nat(1_000),
    value: fc.integer({ min: 0, max: 255 }),
    ng: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyChange, { maxLength: 8 }), async (changes) => {
      const bytes = changes[0]?.ng ? file.slice() : pcap(packetsOf(WHOLE, 1), { linkType: 1 });
      for (const { at, value } of changes) bytes[4 + at % (bytes.length - 4)] = value;
      await readAll(bytes, 100);
    }),
    { numRuns: 300 },
  );
});

Deno.test("bytes that are no capture are the stream of one side", async () => {
  const { format, seen } = await readAll(new TextEncoder().encode("GET / HTTP/1.1"), 3);
  assertEquals([format, seen[0]!.up, seen[0]!.ended], ["bytes", ["GET / HTTP/1.1"], "up "]);
  for (const size of [0, 1, 3]) assertEquals((await readAll(new Uint8Array(size))).format, "bytes");
});

Deno.test("what many streams hold out of order has a bound: who is beyond it gives up what is missing", async () => {
  const payload = new Uint8Array(60_000);
  const steps: Step[] = [];
  const ports = Array.from({ length: 60 }, (_, i) => 40_000 + i);
  for (const clientPort of ports) {
    steps.push({ way: "up", seq: 0, flags: SYN, clientPort });
    for (let i = 0; i < 8; i++) {
      steps.push({ way: "up", seq: 11 + i * payload.length, text: payload, clientPort });
    }
  }
  for (const clientPort of ports) {
    steps.push({ way: "up", seq: 1, text: "0123456789", clientPort });
  }
  const { seen } = await readAll(pcap(packetsOf(steps)));
  const whole = seen.filter(({ up }) => up.length === 1 && String(up[0]).startsWith("0123456789"));
  const given = seen.filter(({ up }) => up.length === 2 && up[0] === 10);
  assertEquals(whole.length + given.length, ports.length);
  assert(whole.length > 10 && given.length > 10, `${whole.length} ${given.length}`);
});

Deno.test("a stream that lacks its beginning for ever is held within a bound, and given up", async () => {
  const payload = new Uint8Array(1_400).fill(120);
  const steps: Step[] = [{ way: "up", seq: 0, flags: SYN }];
  for (let i = 0; i < 2_000; i++) {
    steps.push({ way: "up", seq: 11 + i * payload.length, text: payload });
  }
  const { up } = await story(steps);
  assertEquals([up![0], up!.length], [10, 2]);
  const way: Direction = "down";
  assertEquals((await story([{ way, seq: 1, flags: PSH | ACK, text: "a" }])).down, ["a"]);
});

Deno.test("the form of a capture is told, whatever follows its beginning in memory", async () => {
  const packets = packetsOf(WHOLE, 101, 4);
  const link = { linkType: 101 };
  for (const chunkBytes of [11, 200, Infinity]) {
    assertEquals((await readAll(pcapng(packets, link), chunkBytes)).format, "pcapng");
    assertEquals((await readAll(pcap(packets, link), chunkBytes)).format, "pcap");
    assertEquals((await readAll(new Uint8Array(500).fill(97), chunkBytes)).format, "bytes");
  }
});

Deno.test("a signal ends reading while nothing comes, and what came counts", async () => {
  for (const count of [0, 2, 300]) {
    const bytes = pcap(packetsOf(WHOLE, 101, 4), { linkType: 101 }).subarray(0, count);
    const ending = new AbortController();
    const source = sourceOf(bytes);
    const read = async (into: Uint8Array) => {
      const read = await source.read(into);
      if (read !== null) return read;
      queueMicrotask(() => ending.abort());
      return await new Promise<never>(() => {});
    };
    const nobody = { opened() {}, bytes() {}, gap() {}, ended() {}, closed() {} };
    const reading = readCapture({ read }, nobody, { signal: ending.signal });
    assertEquals((await deadline(reading)).fileBytes, count);
  }
});
