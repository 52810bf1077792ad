/**
 * What the project's tests rely on in `@std/assert` and `@std/bytes`, stated as laws. They hold for
 * the registry's packages and for the stand-ins of `scripts/offline/std/`, whichever are linked.
 */
import * as std from "@std/assert";
import { AssertionError } from "@std/assert";
import { concat, equals } from "@std/bytes";
import { Buffer } from "node:buffer";
import fc from "fast-check";

/** Whether an assertion holds; what else it throws is passed on. */
function holds(assertion: () => void): boolean {
  try {
    assertion();
    return true;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    throw error;
  }
}

async function holdsLater(assertion: () => Promise<unknown>): Promise<boolean> {
  const outcome = await assertion().then(() => undefined, (error) => error);
  if (outcome !== undefined && !(outcome instanceof AssertionError)) throw outcome;
  return outcome === undefined;
}

const alike = (a: unknown, b: unknown) => holds(() => std.assertEquals(a, b));

/** Both as it is told by `assertEquals` and by `assertNotEquals`. */
function told(a: unknown, b: unknown, expected: boolean): boolean {
  return alike(a, b) === expected && holds(() => std.assertNotEquals(a, b)) === !expected;
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});
const bytes = fc.uint8Array({ maxLength: 400 });
/** Few and short ones, so that some are equal or hold each other. */
const word = fc.stringMatching(/^[a-c]{1,3}$/);
const digit = fc.nat(2);

Deno.test("assertEquals(): what is built the same is equal, at every depth", () => {
  fc.assert(fc.property(fc.clone(anything, 2), ([a, b]) => told(a, b, true)));
  fc.assert(fc.property(anything, (value) => told([{ value }, 1], [{ value }, 2], false)));
});

Deno.test("assertEquals(): NaN equals itself, and -0 equals 0, in typed arrays, too", () => {
  for (const wrap of [(x: number) => x, (x: number) => [x], (x: number) => Float64Array.of(x)]) {
    std.assert(told(wrap(NaN), wrap(NaN), true) && told(wrap(0), wrap(-0), true));
  }
});

Deno.test("assertEquals(): one changed byte is seen, in every kind of buffer", () => {
  const kinds = [
    (x: Uint8Array) => x,
    (x: Uint8Array) => Buffer.from(x),
    (x: Uint8Array) => Uint8Array.from(x).buffer,
    (x: Uint8Array) => new DataView(Uint8Array.from(x).buffer),
  ];
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.nat(),
    fc.constantFrom(...kinds),
    (content, at, kind) => {
      const changed = content.slice();
      changed[at % content.length]! ^= 1;
      return told(kind(content), kind(content.slice()), true) &&
        told({ at: kind(content) }, { at: kind(changed) }, false) &&
        told(kind(content), kind(content.subarray(1)), false);
    },
  ));
});

Deno.test("assertEquals(): prototypes count, but none is like a plain object's", () => {
  class Bytes extends Uint8Array {}
  fc.assert(
    fc.property(bytes, (x) =>
      told(x, Buffer.from(x), false) && told(x, Bytes.from(x), false) &&
      told(x, Array.from(x), false)),
  );
  fc.assert(
    fc.property(
      fc.dictionary(word, fc.integer()),
      (entries) =>
        told(Object.assign(Object.create(null), entries), { ...entries }, true) &&
        told(Object.assign(Object.create({}), entries), { ...entries }, false),
    ),
  );
});

Deno.test("assertEquals(): keys that are absent are not undefined, and holes are neither", () => {
  std.assert(told({ a: undefined }, {}, false));
  std.assert(told({ a: undefined }, { b: undefined }, false));
  std.assert(told(new Array(1), [undefined], false));
});

Deno.test("assertEquals(): maps and sets are equal in any order, by deep keys", () => {
  const entries = fc.uniqueArray(fc.tuple(fc.integer(), anything), {
    maxLength: 5,
    selector: ([key]) => key,
  });
  fc.assert(fc.property(fc.clone(entries, 2), ([list, other]) => {
    const keyed = () => list.map(([key, value]) => [{ key }, value] as const);
    const keys = list.map(([key]) => key);
    return told(new Map(list), new Map(other.toReversed()), true) &&
      told(new Map(keyed()), new Map(keyed().toReversed()), true) &&
      told(new Set(keyed()), new Set(keyed().toReversed()), true) &&
      told(new Set([...keys, "x"]), new Set([...keys, "y"]), false) &&
      told(
        new Map([...keyed(), [{ key: 0.5 }, 1]]),
        new Map([...keyed(), [{ key: 0.5 }, 2]]),
        false,
      );
  }));
});

Deno.test("assertEquals(): cycles end, and what differs in them is seen", () => {
  const knots = [
    (value: unknown) => {
      const knot: Record<string, unknown> = { value };
      return knot.self = knot;
    },
    (value: unknown) => {
      const knot = new Map<unknown, unknown>([["value", value]]);
      return knot.set("self", knot);
    },
    (value: unknown) => {
      const knot: unknown[] = [value];
      knot.push(knot);
      return knot;
    },
  ];
  fc.assert(
    fc.property(
      digit,
      digit,
      fc.constantFrom(...knots),
      (a, b, knot) => told(knot(a), knot(b), a === b),
    ),
  );
});

Deno.test("assertEquals(): dates, patterns and addresses are compared by what they say", () => {
  const makers: ((text: string) => unknown)[] = [
    (text) => new Date(text.length),
    (text) => new RegExp(text.slice(0, 1), "g"),
    (text) => new URL(`http://localhost/${text}`),
    (text) => new URLSearchParams({ text }),
  ];
  fc.assert(fc.property(word, word, fc.constantFrom(...makers), (a, b, make) => {
    const says = (text: string) => {
      const made = make(text);
      return made instanceof Date ? made.getTime() : String(made);
    };
    return told(make(a), make(b), says(a) === says(b));
  }));
});

Deno.test("assertEquals(): getters tell what an instance hides", () => {
  class Hidden {
    #value: unknown;
    constructor(value: unknown) {
      this.#value = value;
    }
    get value() {
      return this.#value;
    }
  }
  fc.assert(
    fc.property(digit, digit, (a, b) => told(new Hidden(a), new Hidden(b), a === b)),
  );
});

Deno.test("assertEquals(): errors differ by message, cause, class, and where they were made", () => {
  const [one, same] = [1, 2].map(() => new Error("a"));
  std.assert(told(one, same, true));
  std.assert(told(new Error("a"), new Error("a"), false));
  for (
    const make of [(i: number) => new Error(`${i}`), (i: number) => new Error("", { cause: i })]
  ) {
    const [a, b] = [1, 2].map((i) => make(i));
    std.assert(told(a, b, false));
  }
  const [type, range] = [TypeError, RangeError].map((Class) => new Class("a"));
  std.assert(told(type, range, false));
});

Deno.test("assertEquals(): what a WeakMap or WeakSet holds is a TypeError", () => {
  std.assertThrows(() => std.assertEquals(new WeakMap(), new WeakMap()), TypeError);
  std.assertThrows(() => std.assertEquals(new WeakSet(), new WeakSet()), TypeError);
});

Deno.test("comparisons hold as the operators say, for NaN, too", () => {
  const some = fc.oneof(
    fc.double(),
    fc.constantFrom<unknown>(0, -0, NaN, null, undefined, "", "a"),
  );
  fc.assert(fc.property(some, some, (x, y) => {
    const [a, b] = [x as number, y as number];
    return holds(() => std.assertGreater(a, b)) === a > b &&
      holds(() => std.assertGreaterOrEqual(a, b)) === a >= b &&
      holds(() => std.assertLess(a, b)) === a < b &&
      holds(() => std.assertLessOrEqual(a, b)) === a <= b &&
      holds(() => std.assertStrictEquals(a, b)) === Object.is(a, b) &&
      holds(() => std.assert(a)) === Boolean(a) &&
      holds(() => std.assertExists(a)) === (a !== null && a !== undefined);
  }));
});

Deno.test("texts hold parts and match patterns", () => {
  fc.assert(
    fc.property(
      word,
      word,
      (text, part) =>
        holds(() => std.assertStringIncludes(text, part)) === text.includes(part) &&
        holds(() => std.assertMatch(text, new RegExp(part))) === new RegExp(part).test(text),
    ),
  );
});

const classes = [Error, TypeError, RangeError, AssertionError, DOMException];

Deno.test("assertThrows() returns what was thrown, whatever it is", () => {
  fc.assert(fc.property(anything, (value) => {
    const thrower = () => {
      throw value;
    };
    return Object.is(std.assertThrows(thrower), value) &&
      !holds(() => std.assertThrows(thrower, Error)) && !holds(() => std.assertThrows(() => value));
  }));
});

Deno.test("assertThrows() and assertRejects() ask for a class and a part of the message", async () => {
  const which = fc.constantFrom(...classes);
  await fc.assert(fc.asyncProperty(which, which, word, word, async (Made, Asked, text, part) => {
    const error = new Made(text);
    const fits = error instanceof Asked && text.includes(part);
    const thrower = () => {
      throw error;
    };
    const rejecter = () => Promise.reject(error);
    if (holds(() => std.assertThrows(thrower, Asked, part)) !== fits) return false;
    if (await holdsLater(() => std.assertRejects(rejecter, Asked, part)) !== fits) return false;
    return !fits || std.assertThrows(thrower, Asked, part) === error &&
        await std.assertRejects(rejecter, Asked, part) === error;
  }));
});

Deno.test("assertThrows(): colours do not count in a message", () => {
  fc.assert(fc.property(word, word, (text, part) => {
    const thrower = () => {
      throw new Error(`\x1b[31m${text}\x1b[39m`);
    };
    return holds(() => std.assertThrows(thrower, Error, `\x1b[1m${part}`)) === text.includes(part);
  }));
});

Deno.test("assertRejects() fails for what throws at once, is no promise, or is fulfilled", async () => {
  const ways: (() => unknown)[] = [
    () => {
      throw new Error("at once");
    },
    () => undefined,
    () => 5,
    () => Promise.resolve(),
  ];
  for (const way of ways) {
    std.assert(!await holdsLater(() => std.assertRejects(way as () => Promise<unknown>)));
  }
  std.assertStrictEquals(await std.assertRejects(() => Promise.reject(undefined)), undefined);
});

Deno.test("a failure is an AssertionError that has the given text", async () => {
  const failures: ((text: string) => unknown)[] = [
    (text) => std.assert(false, text),
    (text) => std.assertEquals(1, 2, text),
    (text) => std.assertNotEquals(1, 1, text),
    (text) => std.assertStrictEquals<unknown>([], [], text),
    (text) => std.assertExists(null, text),
    (text) => std.assertInstanceOf({}, Error, text),
    (text) => std.assertStringIncludes("", "a", text),
    (text) => std.assertMatch("", /a/, text),
    (text) => std.assertGreater(1, 2, text),
    (text) => std.assertGreaterOrEqual(1, 2, text),
    (text) => std.assertLess(2, 1, text),
    (text) => std.assertLessOrEqual(2, 1, text),
    (text) => std.assertThrows(() => {}, text),
    (text) => std.assertThrows(() => {}, Error, "", text),
    (text) => std.assertRejects(() => Promise.resolve(), text),
    (text) => std.assertRejects(() => Promise.resolve(), Error, "", text),
  ];
  await fc.assert(fc.asyncProperty(fc.constantFrom(...failures), word, async (failure, text) => {
    const error = await Promise.try(failure, text).catch((error) => error);
    return error instanceof AssertionError && error.name === "AssertionError" &&
      error.message.includes(text);
  }));
  std.assertStrictEquals(new AssertionError("", { cause: 3 }).cause, 3);
});

Deno.test("assertInstanceOf() holds as instanceof says", () => {
  fc.assert(fc.property(fc.constantFrom(...classes), fc.constantFrom(...classes), (Made, Asked) => {
    const made = new Made("");
    return holds(() => std.assertInstanceOf(made, Asked)) === made instanceof Asked;
  }));
  std.assert(!holds(() => std.assertInstanceOf(null, Object)));
});

Deno.test("concat() joins copies, of Buffers, too, into a plain array", () => {
  fc.assert(fc.property(fc.array(bytes, { maxLength: 5 }), fc.boolean(), (parts, buffers) => {
    const joined = concat(buffers ? parts.map((part) => Buffer.from(part)) : parts);
    const expected = parts.flatMap((part) => [...part]);
    const plain = joined.constructor === Uint8Array && joined.byteOffset === 0 &&
      joined.buffer.byteLength === joined.length;
    const same = joined.every((byte, i) => byte === expected[i]);
    joined.fill(1);
    return plain && same && joined.length === expected.length &&
      parts.flatMap((part) => [...part]).every((byte, i) => byte === expected[i]);
  }));
});

Deno.test("equals() compares bytes, wherever they lie in their buffers", () => {
  const offset = fc.nat(5);
  fc.assert(fc.property(bytes, offset, offset, fc.option(fc.nat(399)), (content, i, j, flipped) => {
    const at = (offset: number) => {
      const placed = new Uint8Array(offset + content.length + 3).subarray(offset);
      placed.set(content);
      return placed.subarray(0, content.length);
    };
    const [a, b] = [at(i), at(j)];
    const differs = flipped !== null && flipped < b.length;
    if (differs) b[flipped]! ^= 1;
    return equals(a, b) === !differs && equals(a, Buffer.from(b)) === !differs &&
      (content.length === 0 || !equals(a, b.subarray(1)));
  }));
});
