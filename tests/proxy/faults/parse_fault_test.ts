import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Fault, FaultError, parseFault } from "../../../lib/proxy/mod.ts";

type Parts = Omit<Fault, "text">;

const READ:
  readonly (readonly [string, Parts["direction"], Parts["action"], Parts["selectors"]])[] = [
    ["up delay 80ms", "up", { kind: "delay", delayMs: 80, jitterMs: 0 }, {}],
    ["down delay 80ms jitter 20ms", "down", { kind: "delay", delayMs: 80, jitterMs: 20 }, {}],
    ["both rate 256KiB/s", "both", { kind: "rate", bytesPerSecond: 262_144, shared: false }, {}],
    ["up rate 1MB shared", "up", { kind: "rate", bytesPerSecond: 1e6, shared: true }, {}],
    ["both loss 2%", "both", { kind: "loss", probability: 0.02 }, {}],
    ["both loss 0.02", "both", { kind: "loss", probability: 0.02 }, {}],
    ["up slice 1B", "up", { kind: "slice", leastBytes: 1, mostBytes: 1, everyMs: 0 }, {}],
    ["up slice 1..7B", "up", { kind: "slice", leastBytes: 1, mostBytes: 7, everyMs: 0 }, {}],
    [
      "up slice 1..2KiB every 5ms",
      "up",
      { kind: "slice", leastBytes: 1_024, mostBytes: 2_048, everyMs: 5 },
      {},
    ],
    ["down stall 3s", "down", { kind: "stall", stallMs: 3_000, afterBytes: 0 }, {}],
    [
      "down stall 3s after 10KiB after 5s",
      "down",
      { kind: "stall", stallMs: 3_000, afterBytes: 10_240 },
      { afterMs: 5_000 },
    ],
    ["up corrupt 1e-6", "up", { kind: "corrupt", probability: 1e-6 }, {}],
    ["up corrupt 100%", "up", { kind: "corrupt", probability: 1 }, {}],
    [
      "up blackhole after 5s for 10s",
      "up",
      { kind: "blackhole" },
      { afterMs: 5_000, forMs: 10_000 },
    ],
    ["both refuse 10%", "both", { kind: "refuse" }, { share: 0.1 }],
    ["up close after 64KiB", "up", { kind: "close", afterBytes: 65_536 }, {}],
    ["up half-close after 512", "up", { kind: "half-close", afterBytes: 512 }, {}],
    ["both reset", "both", { kind: "reset", afterBytes: 0 }, {}],
    ["both reset after 0", "both", { kind: "reset", afterBytes: 0 }, {}],
    [
      "up drop frame op=pub topic=orders.> frames 100..200",
      "up",
      { kind: "drop" },
      {
        fields: [{ name: "op", pattern: "pub" }, { name: "topic", pattern: "orders.>" }],
        frames: { from: 100, to: 200 },
      },
    ],
    [
      'up duplicate frame "note=a b" frames 3',
      "up",
      { kind: "duplicate" },
      { fields: [{ name: "note", pattern: "a b" }], frames: { from: 3, to: 3 } },
    ],
    [
      "down reorder frame conn 5.. from 10.0.0.0/8 from ::1",
      "down",
      { kind: "reorder" },
      {
        connections: { from: 5, to: Infinity },
        networks: [{ address: "10.0.0.0", bits: 8 }, { address: "::1", bits: 128 }],
      },
    ],
  ];

Deno.test("parseFault() reads every kind and selector", () => {
  for (const [text, direction, action, selectors] of READ) {
    assertEquals(parseFault(text), { text, direction, action, selectors }, text);
    const spaced = text.replace(/("[^"]*")| /g, (space, quoted) => quoted ?? space.repeat(3));
    assertEquals(parseFault(`  ${spaced}`).text, text);
  }
});

const REFUSED: readonly (readonly [text: string, place: string, problem: string])[] = [
  ["upp delay 8ms", "upp", "did you mean up?"],
  ["delay 8ms", "delay", "there are up, down, both"],
  ["up dely 80ms", "dely", "did you mean delay?"],
  ["up blackhol", "blackhol", "did you mean blackhole?"],
  ["up delay", "", "a delay, such as 80ms, is missing"],
  ["up delay 80", "80", "is no delay"],
  ["up delay 0", "0", "does nothing"],
  ["up delay 10ms jitter 20ms", "20ms", "the jitter is above the delay"],
  ["up rate 0", "0", "use blackhole"],
  ["up rate 0B/s", "0B/s", "use blackhole"],
  ["up rate fast", "fast", "is no rate"],
  ["up loss 150%", "150%", "above 100%"],
  ["up loss 2", "2", "above 100%"],
  ["up loss 100%", "100%", "use blackhole"],
  ["up loss 0%", "0%", "does nothing"],
  ["up corrupt 1e-6x", "1e-6x", "is no probability"],
  ["up slice 7..1B", "7..1B", "ends before it begins"],
  ["up slice 0..1B", "0..1B", "begins with 0"],
  ["up slice 1..", "1..", "has no end"],
  ["up slice 1..2..3", "1..2..3", "is no size"],
  ["up slice 5ms", "5ms", "is no size"],
  ["up refuse", "up", "write both refuse"],
  ["both refuse op=pub", "refuse", "refused before its first frame"],
  ["both refuse frames 2..", "refuse", "refused before its first frame"],
  ["up drop", "", "frame is missing"],
  ["up drop frames", "frames", "write drop frame"],
  ["up reset aftr 5KiB", "aftr", "did you mean after?"],
  ["up reset after", "", "a time, such as 80ms, is missing"],
  ["up blackhole conn 0..2", "0..2", "the first is 1"],
  ["up blackhole conn 1 conn 2", "conn", "twice"],
  ["up blackhole frames x", "x", "is no range of frames"],
  ["up blackhole from 10.0.0.0/33", "10.0.0.0/33", "is no network"],
  ["up blackhole 110%", "110%", "above 100%"],
  ['up blackhole note="a', '"', "never closed"],
  ["", "", "direction is missing"],
];

Deno.test("the text of a fault tells it from others: spaces within quotation marks count", () => {
  const [one, other] = ['up drop frame "note=a b"', 'up drop frame "note=a  b"'].map(parseFault);
  assert(one!.text !== other!.text);
});

Deno.test("parseFault() says where a text is wrong, and what helps", () => {
  for (const [text, place, problem] of REFUSED) {
    const error = assertThrows(() => parseFault(text), FaultError);
    assert(error.message.includes(problem), `${text}: ${error.message}`);
    const { index, length } = error.at;
    // A refused kind is found by its direction, which stands before it.
    if (text !== "up refuse") assertEquals(text.slice(index, index + length), place, error.message);
  }
});

Deno.test("parseFault() gives a fault or a FaultError for any words", () => {
  const known = READ.flatMap(([text]) => text.split(" "));
  const word = fc.oneof(fc.constantFrom(...known), fc.string({ maxLength: 6 }));
  fc.assert(fc.property(fc.array(word, { maxLength: 9 }), (words) => {
    try {
      const { text } = parseFault(words.join(" "));
      assertEquals(parseFault(text).text, text);
    } catch (error) {
      assert(error instanceof FaultError, String(error));
    }
  }));
});
