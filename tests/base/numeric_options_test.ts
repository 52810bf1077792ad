import { assertEquals, assertThrows } from "@std/assert";
import {
  bytesOption,
  countOption,
  FINITE,
  msOption,
  type NumericOption,
  numericOption,
  numericOptions,
  positiveOption,
} from "../../lib/base/numeric_options.ts";
import { timerMs } from "../../lib/base/timer_ms.ts";

/** Options, what is expected of them, numbers that they take and numbers that they refuse. */
const CASES: readonly [NumericOption, string, readonly number[], readonly number[]][] = [
  [countOption(5), "a whole number from 0, or Infinity", [0, 1, 2 ** 53, Infinity], [-1, 0.5]],
  [countOption(5, 1), "a whole number from 1, or Infinity", [1, Infinity], [0, 1.5, -Infinity]],
  [countOption(5, 1, FINITE), "a whole number from 1", [1, 1e300], [0, 1.5, Infinity]],
  [countOption(5, 1, 64), "a whole number from 1 to 64", [1, 64], [0, 1.5, 65, Infinity]],
  [
    bytesOption(5),
    "a whole number of bytes from 0, or Infinity",
    [0, 1, Infinity],
    [-1, 0.5, 1.5],
  ],
  [
    bytesOption(5, 1, 100),
    "a whole number of bytes from 1 to 100",
    [1, 100],
    [0, 101, 1.5, Infinity],
  ],
  [
    msOption(5),
    "a number of milliseconds from 0, or Infinity",
    [0, 0.5, 1e300, Infinity],
    [-0.5, -Infinity],
  ],
  [msOption(5, 1), "a number of milliseconds from 1, or Infinity", [1, 1.5], [0, 0.99]],
  [positiveOption(5), "a number above 0, or Infinity", [1e-9, 1, Infinity], [0, -1, -0]],
  [positiveOption(5, FINITE), "a number above 0", [1e-9, 1e300], [0, -1, Infinity]],
];

Deno.test("numericOption() takes the numbers that make sense, and refuses the others by name", () => {
  for (const [option, expected, good, bad] of CASES) {
    for (const value of good) assertEquals(numericOption("x", value, option), value, expected);
    for (const value of [...bad, NaN]) {
      const message = `Cannot use ${value} as maxThings: give ${expected}`;
      const error = assertThrows(() => numericOption("maxThings", value, option), RangeError);
      assertEquals(error.message, message);
    }
  }
});

Deno.test("numericOption() takes undefined for the default, and nothing else", () => {
  assertEquals(numericOption("x", undefined, countOption(7)), 7);
  assertEquals(numericOption("x", undefined, positiveOption(undefined)), undefined);
  const cases: [unknown, string][] = [
    [null, "null"],
    ["5", '"5"'],
    ["", '""'],
    ["x".repeat(1_000), `"${"x".repeat(60)}"`],
    [5n, "the bigint 5"],
    [true, "the boolean true"],
    [[5], "an array"],
    [{}, "an object"],
    [new Date(), "an object of the class Date"],
    [() => 5, "a function"],
    [Symbol("5"), "a symbol"],
    [Object.create(null), "an object"],
  ];
  for (const [value, shown] of cases) {
    for (const [option, expected] of CASES) {
      const error = assertThrows(() => numericOption("size", value as number, option), TypeError);
      assertEquals(error.message, `Cannot use ${shown} as size: give ${expected}`);
    }
  }
});

Deno.test("numericOptions() checks those of its table, and leaves other values alone", () => {
  const table = { count: countOption(1), rate: positiveOption(undefined), bytes: bytesOption(9) };
  const given = { rate: 2, bytes: undefined, other: "text" };
  assertEquals(numericOptions(table, given), { count: 1, rate: 2, bytes: 9 });
  assertEquals(numericOptions(table, {}), { count: 1, rate: undefined, bytes: 9 });
  assertThrows(
    () => numericOptions(table, { count: 1, bytes: -1 }),
    RangeError,
    "Cannot use -1 as bytes: give a whole number of bytes from 0, or Infinity",
  );
});

Deno.test("timerMs() cuts a time to the longest that a timer takes", () => {
  const longest = 2 ** 31 - 1;
  assertEquals(timerMs("x", 5.5), 5.5);
  assertEquals(timerMs("x", undefined, 7), 7);
  for (const ms of [undefined, Infinity, longest + 1, longest]) {
    assertEquals(timerMs("x", ms), longest);
  }
  assertEquals(timerMs("x", undefined, Infinity), longest);
  assertThrows(() => timerMs("waitMs", NaN), RangeError, "Cannot use NaN as waitMs: give a number");
  assertThrows(() => timerMs("waitMs", 0.5, 5, 1), RangeError, "of milliseconds from 1");
  assertThrows(() => timerMs("waitMs", "5" as unknown as number), TypeError, 'use "5" as waitMs');
});
