import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteCache } from "../../lib/base/byte_cache.ts";

const encoder = new TextEncoder();

/** A publisher's headers, which differ in some letters. */
const FAMILIES: Record<string, (index: number) => string> = {
  "numbers at the end": (i) => `{"op":"pub","topic":"bench.${i}"}`,
  "numbers of one width": (i) => `{"op":"pub","topic":"sensors.${String(i).padStart(6, "0")}.t"}`,
  "numbers in hexadecimal": (i) => `{"op":"pub","topic":"d.${(i * 2_654_435_761).toString(16)}"}`,
  "names in front": (i) => `{"topic":"${(i * 7_919).toString(36)}.temperature.celsius","op":"pub"}`,
  "nothing but numbers": (i) => String(i),
};

/** Keys in one buffer, as a read of the socket brings them. */
function laidOut(keys: readonly string[]): { buffer: Uint8Array; ends: readonly number[] } {
  const buffer = encoder.encode(keys.join(""));
  const ends: number[] = [];
  let end = 0;
  for (const key of keys) ends.push(end += key.length);
  return { buffer, ends };
}

for (const [family, keyOf] of Object.entries(FAMILIES)) {
  Deno.test(`1,000 keys that come in turn stay in a cache of 4,096: ${family}`, () => {
    const cache = new ByteCache<number>(4_096);
    const keys = Array.from({ length: 1_000 }, (_, i) => keyOf(i));
    const { buffer, ends } = laidOut(keys);
    let misses = 0;
    // While all differ, every 16th is added.
    for (let turn = 0; turn < 40; turn++) {
      misses = 0;
      for (let i = 0; i < keys.length; i++) {
        const [start, end] = [ends[i - 1] ?? 0, ends[i]!];
        const value = cache.find(buffer, start, end);
        if (value !== undefined) assertEquals(value, i);
        else misses++;
        cache.add(buffer, start, end, i);
      }
    }
    assert(misses <= 1, `${misses} misses in a turn`);
  });
}

Deno.test("a cache gives what was added for just these bytes, or nothing", () => {
  const key = fc.oneof(
    fc.nat(300).map((i) => FAMILIES["numbers at the end"]!(i)),
    fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 9 }),
    fc.nat(3).map((i) => "x".repeat(253 + i)),
  );
  fc.assert(
    fc.property(
      fc.array(key, { maxLength: 200 }),
      fc.constantFrom(1, 2, 4, 8, 16, 64),
      fc.boolean(),
      (keys, capacity, isOneBuffer) => {
        const cache = new ByteCache<string>(capacity);
        const { buffer, ends } = laidOut(keys);
        for (const [i, key] of keys.entries()) {
          const [bytes, start, end] = isOneBuffer
            ? [buffer, ends[i - 1] ?? 0, ends[i]!] as const
            : [encoder.encode(key), 0, key.length] as const;
          const found = cache.find(bytes, start, end);
          assert(found === undefined || found === key);
          cache.add(bytes, start, end, key);
          if (found === undefined && i < 64) assertEquals(cache.find(bytes, start, end), key);
        }
      },
    ),
    { numRuns: 300 },
  );
});
