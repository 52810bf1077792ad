import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrameDecoder, HeaderCache } from "../../../../lib/frame/mod.ts";
import type { BackplaneHost } from "../../../../lib/pubsub/broker/backplane.ts";
import { Incoming } from "../../../../lib/pubsub/broker/nats/incoming.ts";
import type { Interest, OpenFilter } from "../../../../lib/pubsub/broker/nats/interest.ts";
import { Origins } from "../../../../lib/pubsub/broker/nats/origins.ts";
import { NatsParser } from "../../../../lib/pubsub/broker/nats/wire/nats_parser.ts";
import type { SharedMemory } from "../../../../lib/net/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Those that go on with each other are what it is about. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
}

/** Publications of one kind, one behind the other. */
const some = fc.record({
  subject: mostly("a", "b", "a.b"),
  reply: mostly("", "back"),
  gateway: mostly("gw1 1", "gw1 2", "gw2 1", ""),
  lines: mostly(
    "",
    "Content-Type: text/json\r\nContent-Encoding: utf-8\r\n",
    "Content-Type: text/yaml\r\nContent-Encoding: utf-8\r\n",
    "trace: 1\r\n",
  ),
  behind: mostly("", "trace: 7\r\n", "trace: 8\r\n"),
  size: mostly(16, 0, 1, 95, 96, 97, 500, 700),
  many: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 15 })),
  /** How far the count is from what is due: some are missing, or come again. */
  jump: mostly(0, 1, 85, -1, -3),
  fill: fc.nat({ max: 250 }),
});
type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;

/** The messages, as a server sends them. */
function messagesOf(all: readonly Some[]): Uint8Array[] {
  const counts = new Map<string, number>();
  const messages: Uint8Array[] = [];
  for (const { subject, reply, gateway, lines, behind, size, many, jump, fill } of all) {
    const key = `${gateway} ${subject}`;
    const first = Math.max(1, (counts.get(key) ?? 0) + 1 + jump);
    for (let count = first; count < first + many; count++) {
      counts.set(key, Math.max(count, counts.get(key) ?? 0));
      const from = gateway === "" ? "" : `Socktool-From: ${gateway} ${count}\r\n`;
      const headers = `NATS/1.0\r\n${lines}${from}${behind}\r\n`;
      const place = `${subject} 1 ${reply}`.trimEnd();
      const line = `HMSG ${place} ${headers.length} ${headers.length + size}\r\n${headers}`;
      const content = new Uint8Array(size).map((_, i) => fill + count + i);
      messages.push(new Uint8Array([...encoder.encode(line), ...content, 0x0d, 0x0a]));
    }
  }
  return messages;
}

/**
 * What the broker is given of messages.
 *
 * @param ends How many bytes have come each time that they are read.
 * @param keepsMemory Whether it needs all of what it is given until the end.
 */
function take(
  messages: readonly Uint8Array[],
  ends: Iterable<number>,
  keepsMemory: boolean,
): unknown[] {
  const said: [what: string, ...unknown[]][] = [];
  const kept: [SharedMemory, Uint8Array, Uint8Array][] = [];
  const headerCache = new HeaderCache(64);
  const host: BackplaneHost = {
    maxContentBytes: 600,
    decode: (bytes, start, end) =>
      new FrameDecoder({ headerCache }).decode(bytes, start, end).frames,
    deliver(frames, memory) {
      const { end } = frames.at(-1)!;
      assertEquals(frames[0]!.start, 0);
      const bytes = memory.bytes.subarray(0, end);
      if (keepsMemory) {
        memory.borrow();
        kept.push([memory, bytes, bytes.slice()]);
      }
      const again = new FrameDecoder().decode(bytes);
      assertEquals([again.consumed, again.error], [end, undefined]);
      for (const [i, frame] of again.frames.entries()) {
        const { header, start, contentStart } = frames[i]!;
        assertEquals({ ...header }, { ...frame.header });
        assertEquals([start, contentStart], [frame.start, frame.contentStart]);
        assertEquals(frames[i]!.content, frame.content);
        said.push(["frame", { ...header }, decoder.decode(frame.content)]);
      }
      assertEquals(frames.length, again.frames.length);
    },
    deliverToGroup() {},
    lost: (...lost) => said.push(["lost", ...lost]),
    retained() {},
    hasSubscribers: () => true,
    turn: () => undefined,
  };
  const filter = { filter: ">", closedAt: Infinity, since: new Map() } as unknown as OpenFilter;
  const interest = { generation: 0, primary: () => filter } as unknown as Interest;
  const origins = new Origins();
  origins.heard("gw1", 0, 0);
  const incoming = new Incoming("me", host, interest, origins, () => {});
  const nothing = () => {};
  const parser = new NatsParser({
    message: (message) => incoming.take(filter, message),
    info: nothing,
    ping: nothing,
    pong: nothing,
    refused: nothing,
  });
  const bytes = new Uint8Array(messages.flatMap((each) => [...each]));
  let consumed = 0;
  // Behind the end lies what has not come yet.
  for (const end of ends) {
    consumed += parser.parse(bytes, consumed, Math.min(end, bytes.length));
    incoming.handOn();
  }
  assertEquals(consumed, bytes.length);
  for (const [, bytes, copy] of kept) assertEquals(bytes, copy);
  return [said, incoming.received, incoming.lost, incoming.unusable];
}

/** Where each message ends. */
function endsOf(messages: readonly Uint8Array[]): number[] {
  let end = 0;
  return messages.map(({ length }) => end += length);
}

Deno.test("what a gateway gets in one read comes out as it would one by one", () => {
  const reads = fc.array(fc.nat({ max: 9_999 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 8 }), reads, (all, cuts) => {
      const messages = messagesOf(all);
      const ends = endsOf(messages);
      const expected = take(messages, ends, false);
      const some = [...cuts.sort((a, b) => a - b), Infinity];
      assertEquals(take(messages, some, true), expected);
      assertEquals(take(messages, [Infinity], true), expected);
    }),
  );
});

Deno.test("what does not fit into one batch goes out in several, and nothing is overwritten", () => {
  const all = Array.from({ length: 40 }, (_, i): Some => ({
    subject: "a",
    reply: "",
    gateway: "gw1 1",
    lines: "",
    behind: "",
    size: i % 2 ? 500 : 20,
    many: 30,
    jump: 0,
    fill: i,
  }));
  const messages = messagesOf(all);
  assertEquals(take(messages, [Infinity], true), take(messages, endsOf(messages), false));
});

Deno.test("what only looks as if it went on with a message is read by itself", () => {
  const usual = { subject: "a", reply: "", gateway: "gw1 1", lines: "", size: 1, jump: 0, fill: 0 };
  const messages = messagesOf([
    { ...usual, behind: "", many: 6 },
    { ...usual, behind: "trace: 7\r\n", many: 1 },
    // Its count is 7 again.
    { ...usual, behind: "trace: 8\r\n", many: 1, jump: -1 },
    { ...usual, behind: "", many: 2 },
  ]);
  // Behind the one with the count 8.
  const broken = "HMSG a 1 36 37\r\nNATS/1.0\r\nSocktool-From: gw1 1 9abcdx\r\n";
  messages.splice(-1, 0, encoder.encode(broken));
  const [said] = take(messages, [Infinity], true) as [[string, object, string][]];
  assertEquals(said, take(messages, endsOf(messages), false)[0]);
  assertEquals(said.map(([, , content]) => content), [..."\x01\x02\x03\x04\x05\x06\x07\x08x\x09"]);
});
