/** Deep equality as `@std/assert` has it: by structure and constructor, `NaN` equals itself. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (!sameConstructor(a, b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp) return String(a) === String(b);
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) {
    const [x, y] = [a as Uint8Array, b as Uint8Array];
    return x.length === y.length && x.every((value, i) => Object.is(value, y[i]));
  }
  if (a instanceof Set) {
    const other = b as Set<unknown>;
    return a.size === other.size &&
      [...a].every((x) => other.has(x) || [...other].some((y) => compare(x, y, seen)));
  }
  if (a instanceof Map) {
    const other = b as Map<unknown, unknown>;
    return a.size === other.size &&
      [...a].every(([key, value]) =>
        other.has(key)
          ? compare(value, other.get(key), seen)
          : [...other].some(([k, v]) => compare(key, k, seen) && compare(value, v, seen))
      );
  }
  const [x, y] = [a as Record<PropertyKey, unknown>, b as Record<PropertyKey, unknown>];
  const keys = ownKeys(x);
  return keys.length === ownKeys(y).length &&
    keys.every((key) => Object.hasOwn(y, key) && compare(x[key], y[key], seen)) &&
    (!(a instanceof Error) || a.message === (b as Error).message);
}

function ownKeys(value: object): PropertyKey[] {
  return [...Object.keys(value), ...Object.getOwnPropertySymbols(value)];
}

/** An object without a prototype counts as a plain one. */
function sameConstructor(a: object, b: object): boolean {
  return (a.constructor ?? Object) === (b.constructor ?? Object);
}
