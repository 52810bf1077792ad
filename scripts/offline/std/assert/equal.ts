/** Pairs that are being compared, or were: so that cycles end. */
type Pairs = Map<object, object>;

/**
 * Deep equality as `@std/assert` has it: prototypes count, but none is like that of a plain object;
 * `NaN` equals itself, and -0 equals 0.
 *
 * Instances of a class are compared by all that can be read of them: what getters say, too, and
 * properties that are not enumerable. So errors are equal only if they were made at the same place,
 * for their `stack` is such a property.
 *
 * @throws {TypeError} For a pair of `WeakMap`s or of `WeakSet`s, unless they are one.
 */
export function equal(a: unknown, b: unknown): boolean {
  return sameValue(a, b) || alike(a, b, new Map());
}

function alike(a: unknown, b: unknown, pairs: Pairs): boolean {
  if (sameValue(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) return sameValue(a.getTime(), b.getTime());
  const prototype = prototypeOf(a);
  if (prototype !== prototypeOf(b)) return false;
  if (isTypedArray(a)) return sameElements(a, b as typeof a);
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return sameElements(new Uint8Array(a), new Uint8Array(b as typeof a));
  }
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`What a ${a.constructor.name} holds cannot be compared`);
  }
  if (a instanceof WeakRef) return alike(a.deref(), (b as typeof a).deref(), pairs);
  if (pairs.get(a) === b) return true;
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  pairs.set(a, b);
  if (a instanceof Map || a instanceof Set) return sameEntries(a, b as typeof a, pairs);
  if (TOLD_BY_TEXT.has(prototype)) return String(a) === String(b);
  const keys = PLAIN.has(prototype)
    ? Reflect.ownKeys({ ...a, ...b })
    : [...readableKeys(a), ...readableKeys(b)];
  return keys.every((key) =>
    alike(Reflect.get(a, key), Reflect.get(b, key), pairs) && (key in a) === (key in b)
  );
}

/** What has no properties but enumerable ones of its own. */
const PLAIN = new Set<unknown>([Object.prototype, Array.prototype]);

/** What its text says all of, and its properties less or more. */
const TOLD_BY_TEXT = new Set<unknown>(
  [RegExp, URL, URLSearchParams, Intl.Locale].map((type) => type.prototype),
);

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function isTypedArray(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Like `===`, but `NaN` is the same as itself. */
function sameValue(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function sameElements(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // A callback for each element would take several times as long: tests compare megabytes.
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

/** Every entry of `a` is like one of `b`; keys that are not objects are looked up. */
function sameEntries<T extends Map<unknown, unknown> | Set<unknown>>(
  a: T,
  b: T,
  pairs: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const [entries, others] = [[...a.entries()], [...b.entries()]];
  if (entries.every(([key]) => !isObject(key) && typeof key !== "function")) {
    return entries.every(([key, value]) =>
      b.has(key) && (b instanceof Set || alike(value, b.get(key), pairs))
    );
  }
  // All are tried, even after one that is like none: that is what the pairs tell in a cycle.
  const found = entries.filter(([key, value]) =>
    others.some(([otherKey, other]) =>
      alike(key, otherKey, pairs) &&
      (key === value && otherKey === other || alike(value, other, pairs))
    )
  );
  return found.length === entries.length;
}

/** The keys of an object and of its prototypes, up to those that all objects have. */
function* readableKeys(value: object): Iterable<PropertyKey> {
  for (let each = value; each !== null && !PLAIN.has(each); each = Object.getPrototypeOf(each)) {
    yield* Reflect.ownKeys(each);
  }
}
