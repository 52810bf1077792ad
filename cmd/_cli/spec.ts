/**
 * The table in which a command describes its flags and arguments. Parsing, the types of the values,
 * `--help`, completions and the man page are made from it.
 *
 * @module
 */
import type { Address } from "../../lib/net/address.ts";

/** What a flag's or an argument's text is read as. */
export type ValueSpec =
  | { readonly type: "string" }
  /** `hint` is what shell completion offers. @default {"any"} */
  | { readonly type: "path"; readonly hint?: "file" | "folder" | "any" }
  | ({ readonly type: NumericType } & Bounds)
  | { readonly type: "choice"; readonly choices: readonly string[] }
  /** `port` stands in where the text has none; `webSocket` lets it be a `ws:` or `wss:` URL. */
  | { readonly type: "address"; readonly port?: number; readonly webSocket?: boolean };

/**
 * Types whose values are numbers: `integer`, `number`; `count` also takes `10k`; `rate` is per
 * second (`10k`, `10k/s`); `size` is in bytes (`64KiB`); `duration` in milliseconds (`500ms`,
 * `3m`).
 */
export type NumericType = "integer" | "number" | "count" | "rate" | "size" | "duration";

/** The least and the greatest value allowed, in the unit that `run` gets. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

interface Described {
  /** One sentence without a full stop; the default is added to it. */
  readonly help: string;
  /** What stands for the value in the help. @default {the type's, such as `SIZE`} */
  readonly placeholder?: string;
}

interface FlagTraits extends Described {
  /** One letter: `v` for `-v`. */
  readonly short?: string;
  /** Its heading in the help. @default {"Flags"} */
  readonly group?: string;
  /** Whether it works without being shown. @default {false} */
  readonly hidden?: boolean;
  /** Flags that must not be given together with it; one side's mention is enough. */
  readonly conflicts?: readonly string[];
  /** Flags without which it means nothing. */
  readonly requires?: readonly string[];
}

/** `default: true` makes it a flag that is written `--no-NAME` and gives `false`. */
export type BooleanFlag = FlagTraits & { readonly type: "boolean"; readonly default?: boolean };

/** A flag with a value. */
export type ValueFlag = FlagTraits & ValueSpec & {
  /** As a user would write it; the help shows it. */
  readonly default?: string;
  /** Whether it may be given several times; its value is then an array. @default {false} */
  readonly repeat?: boolean;
  /** The environment variable that stands in where the flag is not given. */
  readonly env?: string;
};

/** One flag of a command. */
export type FlagSpec = BooleanFlag | ValueFlag;

/** A command's flags by their long name, in the order of the help. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

/** One positional argument. */
export type ArgumentSpec = Described & ValueSpec & {
  /** As a user would write it. An argument with a default is optional. */
  readonly default?: string;
  /** @default {false} */
  readonly optional?: boolean;
  /** Whether it takes all remaining words; only the last may. @default {false} */
  readonly repeat?: boolean;
  /** Words that it has by name: as the first of a command line, such a one is no address. */
  readonly known?: readonly string[];
};

/** A command's arguments by name (`num-conns` is shown as `NUM_CONNS`), in their order. */
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>;

/** One value as `run` gets it. */
export type ValueOf<S> = S extends { type: "boolean" } ? boolean
  : S extends { choices: readonly (infer C)[] } ? C
  : S extends { type: "address" } ? Address
  : S extends { type: NumericType } ? number
  : string;

/** The values of a table of flags. */
export type FlagValues<F extends FlagTable> = {
  readonly [K in keyof F]: F[K] extends { repeat: true } ? readonly ValueOf<F[K]>[]
    : F[K] extends { type: "boolean" } | { default: string } ? ValueOf<F[K]>
    : ValueOf<F[K]> | undefined;
};

/** The values of a table of arguments. */
export type ArgumentValues<A extends ArgumentTable> = {
  readonly [K in keyof A]: A[K] extends { repeat: true } ? readonly ValueOf<A[K]>[]
    : A[K] extends { default: string } ? ValueOf<A[K]>
    : A[K] extends { optional: true } ? ValueOf<A[K]> | undefined
    : ValueOf<A[K]>;
};

/** Any value that a flag or an argument can have. */
export type AnyValue = string | number | boolean | Address;

/** Whether the argument may be left out. */
export function isOptional(spec: ArgumentSpec): boolean {
  return spec.optional === true || spec.default !== undefined;
}

/** The name of an argument in the help and in messages. */
export function argumentLabel(name: string, spec: ArgumentSpec): string {
  return spec.placeholder ?? name.toUpperCase().replaceAll("-", "_");
}

/** What stands for a flag's value in the help. */
export function placeholderOf(spec: ValueFlag): string {
  if (spec.placeholder !== undefined) return spec.placeholder;
  if (spec.type === "choice") return spec.choices.join("|");
  return PLACEHOLDERS[spec.type];
}

const PLACEHOLDERS = {
  string: "TEXT",
  path: "PATH",
  integer: "N",
  number: "N",
  count: "N",
  rate: "RATE",
  size: "SIZE",
  duration: "TIME",
  address: "ADDRESS",
} as const;
