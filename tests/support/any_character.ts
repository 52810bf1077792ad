import fc from "fast-check";

/** Half of a pair in UTF-16; alone it is no character. */
const SURROGATES = { from: 0xd800, count: 0x800 };

/**
 * Any character of Unicode, as a unit of `fc.string()`. It gives the same texts as fast-check's own
 * unit "binary", whose first use in an isolate takes a second.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 0x10ffff - SURROGATES.count })
  .map(
    (n) => String.fromCodePoint(n < SURROGATES.from ? n : n + SURROGATES.count),
    (character) => {
      const n = (character as string).codePointAt(0)!;
      return n < SURROGATES.from ? n : n - SURROGATES.count;
    },
  );
