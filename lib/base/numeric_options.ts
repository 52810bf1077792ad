/**
 * Checks the numbers in options, with one wording for all: `Cannot use -1 as maxConnections: give a
 * whole number from 0, or Infinity`.
 *
 * @module
 */
import { checkGiven, refusal } from "./option_kinds.ts";

/** What a numeric option may be, and its default. */
export interface NumericOption<D extends number | undefined = number> {
  /** What `undefined` stands for. */
  readonly byDefault: D;
  /** What it has to be, in words. */
  readonly expected: string;
  /** Whether a number will do. */
  accepts(value: number): boolean;
}

/** Give it as `most` to an option that has no bound but must not be `Infinity`. */
export const FINITE = Number.MAX_VALUE;

/** A number of things: a whole number. */
export function countOption<D extends number | undefined>(
  byDefault: D,
  least = 0,
  most = Infinity,
): NumericOption<D> {
  return wholeOption(byDefault, "a whole number", least, most);
}

/** A size: a whole number of bytes. */
export function bytesOption<D extends number | undefined>(
  byDefault: D,
  least = 0,
  most = Infinity,
): NumericOption<D> {
  return wholeOption(byDefault, "a whole number of bytes", least, most);
}

/** A time in milliseconds, fractions allowed. */
export function msOption<D extends number | undefined>(byDefault: D, least = 0): NumericOption<D> {
  return {
    byDefault,
    expected: `a number of milliseconds from ${least}, or Infinity`,
    accepts: (value) => value >= least,
  };
}

/** A number above 0, such as a rate. */
export function positiveOption<D extends number | undefined>(
  byDefault: D,
  most = Infinity,
): NumericOption<D> {
  return {
    byDefault,
    expected: most === Infinity ? "a number above 0, or Infinity" : "a number above 0",
    accepts: (value) => value > 0 && value <= most,
  };
}

function wholeOption<D extends number | undefined>(
  byDefault: D,
  noun: string,
  least: number,
  most: number,
): NumericOption<D> {
  const bound = most === Infinity ? ", or Infinity" : most === FINITE ? "" : ` to ${most}`;
  return {
    byDefault,
    expected: `${noun} from ${least}${bound}`,
    accepts: (value) =>
      value >= least && value <= most && (Number.isInteger(value) || value === Infinity),
  };
}

/**
 * Checks one option.
 *
 * @returns The value; the option's default where it is `undefined`.
 * @throws {TypeError} if it is no number. `null`, a text of digits and a bigint are none.
 * @throws {RangeError} if it is a number that will not do, or `NaN`.
 */
export function numericOption<D extends number | undefined>(
  name: string,
  value: number | undefined,
  option: NumericOption<D>,
): number | D {
  if (value === undefined) return option.byDefault;
  if (typeof value !== "number") {
    throw new TypeError(refusal(name, value, option.expected));
  }
  if (option.accepts(value)) return value;
  throw new RangeError(`Cannot use ${value} as ${name}: give ${option.expected}`);
}

/** Options by their names. */
export type NumericOptions = Readonly<Record<string, NumericOption<number | undefined>>>;

/** The numbers that {@linkcode numericOptions} gives for a table of options. */
export type NumericValues<O extends NumericOptions> = {
  readonly [K in keyof O]: O[K] extends NumericOption<infer D> ? number | D : never;
};

/**
 * Checks all numeric options of one kind of work, and fills in their defaults. Whatever else is
 * among the values is left alone.
 *
 * @example
 * ```ts
 * import { bytesOption, countOption, numericOptions } from "./numeric_options.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const LIMITS = { maxClients: countOption(100), maxBytes: bytesOption(65_536, 1) };
 * assertEquals(numericOptions(LIMITS, { maxClients: 5 }), { maxClients: 5, maxBytes: 65_536 });
 * assertThrows(
 *   () => numericOptions(LIMITS, { maxBytes: 0 }),
 *   RangeError,
 *   "Cannot use 0 as maxBytes: give a whole number of bytes from 1, or Infinity",
 * );
 * ```
 *
 * @throws {TypeError | RangeError} as {@linkcode numericOption} does; if the values are no object.
 */
export function numericOptions<O extends NumericOptions>(
  options: O,
  values: { readonly [K in keyof O]?: number | undefined },
): NumericValues<O> {
  checkGiven("options", values, "object");
  const checked: Record<string, number | undefined> = {};
  for (const [name, option] of Object.entries(options)) {
    checked[name] = numericOption(name, values[name], option);
  }
  return checked as NumericValues<O>;
}
