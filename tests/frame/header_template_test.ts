/**
 * Whatever the decoder does to be fast, a header is what `JSON.parse` makes of its bytes. Here each
 * header comes in a stream after some that are nearly the same, and before one more.
 */
import { AssertionError } from "@std/assert";
import fc from "fast-check";
import { FrameDecoder, HeaderCache } from "../../lib/frame/mod.ts";
import { anyName, anyStyle, anyText, anyValue, renderHeader, renderText } from "./generators.ts";
import { assertSameJson, bytesOf, headerText, join, judge, rawFrame } from "./raw_frames.ts";
import { soakSize } from "../support/soak_size.ts";

const LIMIT = 2_000;
const STRIDE = soakSize(4, 1);

const verdicts = new WeakMap<Uint8Array, ReturnType<typeof judge>>();

/** What the oracle says of a header, which is asked once: most come again and again. */
function verdictOf(header: Uint8Array): ReturnType<typeof judge> {
  const verdict = verdicts.get(header) ?? judge(header, LIMIT);
  verdicts.set(header, verdict);
  return verdict;
}

/** Checks that each header, behind the ones before it, gives what the oracle says. */
function assertHeaders(headers: readonly Uint8Array[], cache: HeaderCache, where = ""): void {
  const verdicts = headers.map(verdictOf);
  const broken = verdicts.findIndex((verdict) => verdict.code !== undefined);
  const whole = broken < 0 ? headers.length : broken;
  const bytes = join(
    ...headers.slice(0, whole + 1).map((header, i) => {
      const verdict = verdicts[i]!;
      return rawFrame(header, new Uint8Array(verdict.code === undefined ? verdict.length : 0));
    }),
  );
  const { frames, error } = new FrameDecoder({ maxContentBytes: LIMIT, headerCache: cache })
    .decode(bytes);
  const check = (right: boolean, what: string) => {
    if (right) return;
    const texts = headers.map((header) => new TextDecoder().decode(header));
    throw new AssertionError(`${what} ${where}:\n${texts.join("\n")}`);
  };
  check(error?.code === verdicts[broken]?.code, `error ${error?.code}`);
  check(frames.length === whole, `${frames.length} frames`);
  for (const [i, frame] of frames.entries()) {
    const verdict = verdicts[i]!;
    if (verdict.code !== undefined) continue;
    assertSameJson(frame.header, verdict.header, where);
    check(frame.content.length === verdict.length, `${frame.content.length} bytes of content`);
  }
}

const BASES: Record<string, (length: number, id: number) => string> = {
  "as the encoder writes it": (length) => headerText(length),
  "with an id behind": (length, id) => headerText(length, `,"id":${id}`),
  "of a publication": (length, id) => headerText(length, `,"op":"pub","topic":"a.b.c","id":${id}`),
  "of a publication to be stored": (length, id) =>
    headerText(length, `,"op":"pub","stored":true,"msg-id":"m.${id}","duplicate":false,"id":${id}`),
  "as json.dumps writes it": (length, id) =>
    headerText(length, `,"id":${id}`).replaceAll(":", ": ").replaceAll(",", ", "),
  "with the four in another order": (length, id) =>
    `{"content-type":"a/b","byteorder":"big","content-encoding":"x","content-length":${length},"id":${id}}`,
  "with content-length in front": (length, id) =>
    `{"content-length":${length},"id":${id},"byteorder":"big","content-type":"a/b","content-encoding":"binary"}`,
};

/** Headers that make a decoder confident that the next one is of the same make. */
function warmUp(base: (length: number, id: number) => string): Uint8Array[] {
  return [[3, 17], [12, 18], [12, 18], [9, 999], [10, 1000], [0, 0], [100, 1001]]
    .map(([length, id]) => bytesOf(base(length!, id!)));
}

for (const [name, base] of Object.entries(BASES)) {
  const target = bytesOf(base(12, 345));
  const replacements = bytesOf('"\\{}[]:,. 0123456789-+eE\t\nabcntuxé/_\0');
  // In the tests a quarter at each place, and each of the others at one of the next three.
  const replacementsAt = (at: number) => replacements.filter((_, i) => (at + i) % STRIDE === 0);

  Deno.test(`a header ${name} that differs in one byte is told apart`, () => {
    const cache = new HeaderCache();
    const before = warmUp(base);
    for (let at = 0; at < target.length; at++) {
      for (const byte of replacementsAt(at)) {
        const changed = target.slice();
        changed[at] = byte;
        assertHeaders([...before.slice(0, 2), changed, target], cache, `byte ${at} is ${byte}`);
      }
    }
  });

  Deno.test(`a header ${name} with a byte less or more is told apart`, () => {
    const cache = new HeaderCache();
    const before = warmUp(base);
    for (let at = 0; at <= target.length; at++) {
      const [head, tail] = [target.subarray(0, at), target.subarray(at)];
      if (at > 0) assertHeaders([...before, head.subarray(0, -1), tail], cache);
      if (at > 0) assertHeaders([...before, join(head.subarray(0, -1), tail), target], cache);
      for (const byte of replacementsAt(at)) {
        assertHeaders(
          [...before.slice(0, 3), join(head, Uint8Array.of(byte), tail), target],
          cache,
        );
      }
    }
  });

  Deno.test(`numbers of a header ${name} are read as JSON reads them`, () => {
    const numbers = [
      ..."0 1 9 10 99 100 999 1000 1999 2000 2001 00 01 012 007 -0 -1 +1 1. .5 1.0 1.5 1e2 1E2 1e+1"
        .split(" "),
      ..."1e-2 10e-1 0e0 0.0 -0.0 1e400 -1e400 1e-400 0x10 1_0 1n NaN Infinity null true".split(
        " ",
      ),
      ..."9007199254740991 9007199254740992 9007199254740993 4294967296 2147483648".split(" "),
      ..."12345678901234567890 123456789012345678901234567890 0.1 0.30000000000000004".split(" "),
      ..."18446744073709551616 1e21 1e22 5e-324 -9007199254740993 99999999999999999999".split(" "),
      ...['"1"', "[1]", "{}", "", " 1", "1 ", "1 2", "1,", '1,"id":2', '1,"content-length":0'],
      ...["0".repeat(30), "1".repeat(17), "9".repeat(400), "0." + "0".repeat(40) + "1"],
    ];
    const [length, id] = ["12", "345"];
    for (const fresh of [false, true]) {
      let cache = new HeaderCache();
      for (const number of numbers) {
        if (fresh) cache = new HeaderCache(1);
        const text = base(12, 345);
        for (const field of [length, id]) {
          if (!text.includes(field)) continue;
          assertHeaders([...warmUp(base), bytesOf(text.replace(field, number)), target], cache);
        }
      }
    }
  });

  Deno.test(`growing numbers in a header ${name} come out right`, () => {
    const cache = new HeaderCache();
    const headers = [];
    for (let i = 0; i < 1_500; i++) headers.push(bytesOf(base(i, i * 7)));
    for (let e = 0; e <= 20; e++) {
      for (const d of [-1, 0, 1]) {
        const id = String(BigInt(10) ** BigInt(e) + BigInt(d));
        headers.push(bytesOf(base(e, 345).replace("345", id)));
      }
    }
    assertHeaders(headers, cache);
  });
}

Deno.test("a field that is given twice has its last value, and only in the header that has it", () => {
  const twice = [
    ',"byteorder":"big"',
    ',"content-type":"other"',
    ',"content-encoding":"other"',
    ',"content-length":4',
    ',"content-length":4,"byteorder":"big"',
    ',"id":1,"id":2',
    ',"id":1,"a":"b","id":"2"',
  ];
  for (const extra of twice) {
    for (const base of Object.values(BASES)) {
      const odd = base(12, 345).replace(/}$/, `${extra}}`);
      const plain = [base(12, 345), base(11, 345), base(12, 7)];
      const cache = new HeaderCache(4);
      assertHeaders([odd, ...plain, odd, ...plain].map(bytesOf), cache, extra);
      assertHeaders([...plain, odd, ...plain].map(bytesOf), cache, extra);
    }
  }
});

const anyNumberText = fc.oneof(
  fc.nat({ max: LIMIT }).map(String),
  fc.tuple(fc.nat(99), fc.constantFrom("", ".0", "e0", "e1", "E+0", ".50e1", "0e-1")).map((t) =>
    t.join("")
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom("0", "-0", "01", "1e2", "9007199254740991", "9007199254740992", "null", '"1"'),
);

const anyHeaderText = fc.tuple(
  fc.array(
    fc.oneof(
      fc.tuple(anyName, fc.tuple(anyValue, anyStyle))
        .map(([name, [value, style]]) =>
          [
            name,
            typeof value === "string" ? renderText(value, style) : JSON.stringify(value),
          ] as const
        ),
      fc.tuple(fc.constantFrom("content-length", "id", "content-lengt"), anyNumberText),
      fc.tuple(
        fc.constantFrom("content-type", "byteorder"),
        anyText.map((text) => JSON.stringify(text)),
      ),
      fc.tuple(fc.constant("byteorder"), fc.constantFrom('"little"', '"big"')),
      fc.tuple(fc.constant("content-encoding"), fc.constantFrom('"utf-8"', '"latin-1"')),
    ),
    { maxLength: 3 },
  ),
  fc.constantFrom('"little"', '"big"', '"b\\u0069g"'),
  anyNumberText,
  anyStyle,
).map(([extra, order, length, style]) =>
  renderHeader([
    ["byteorder", order],
    ["content-type", '"text/plain"'],
    ["content-encoding", '"utf-8"'],
    ...extra.slice(2),
    ["content-length", length],
    ...extra.slice(0, 2),
  ], style)
);

Deno.test("any header is what JSON.parse makes of it", () => {
  const cache = new HeaderCache(16);
  fc.assert(
    fc.property(fc.array(anyHeaderText, { minLength: 1, maxLength: 4 }), (texts) => {
      assertHeaders([...texts, ...texts].map(bytesOf), cache);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("texts that begin like the last one, or go on from it, are read whole", () => {
  const letters = "_inbox.0123456789abcdef0123456789abcdef.123456789012345678901234567890";
  const topic = fc.tuple(
    fc.nat(letters.length),
    fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
  )
    .map(([length, rest]) => letters.slice(0, length) + rest);
  const cache = new HeaderCache(16);
  fc.assert(
    fc.property(fc.array(topic, { minLength: 2, maxLength: 8 }), (topics) => {
      assertHeaders(
        topics.map((topic, i) =>
          bytesOf(
            headerText(3, `,"topic":${JSON.stringify(topic)},"reply-to":"${letters}","id":${i}`),
          )
        ),
        cache,
      );
    }),
    { numRuns: 1_000 },
  );
});
