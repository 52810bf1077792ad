/**
 * `parseArgs` with the signature and behaviour of `@std/cli/parse-args`, without its generics: the
 * values come untyped, so a caller that reads them as `unknown` compiles with either.
 *
 * @module
 */

/** What {@linkcode parseArgs} returns: the flags by name, and in `_` every other argument. */
export type Args =
  // deno-lint-ignore no-explicit-any
  & Record<string, any>
  & { _: Array<string | number> };

/** How {@linkcode parseArgs} reads the arguments. */
export interface ParseOptions {
  /** Whether what follows `--` goes into the property `--` instead of `_`. @default {false} */
  "--"?: boolean;
  /** Other names of a flag; all of them get its value. */
  alias?: Record<string, string | readonly string[]>;
  /** Flags without a value; `true` makes every `--flag` without `=` one. @default {false} */
  boolean?: boolean | string | readonly string[];
  /** Values of flags that were not given. */
  default?: Record<string, unknown>;
  /** Whether everything after the first positional is one. @default {false} */
  stopEarly?: boolean;
  /** Flags (and `_`) whose values are never turned into numbers. */
  string?: string | readonly string[];
  /** Flags whose values are gathered in an array. */
  collect?: string | readonly string[];
  /** Flags that `--no-NAME` sets to `false`. */
  negatable?: string | readonly string[];
  /** Called for what is not declared; `false` keeps it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** `-x`, `--x`, `--no-x`, each with or without `=value`. */
const FLAG = /^-(?:(?<long>-)(?<no>no-)?)?(?<key>.+?)(?:=(?<value>.+?))?$/s;

type Value = string | number | boolean;

/** Reads command line arguments into flags and positionals, after the manner of minimist. */
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  const {
    alias = {},
    boolean = false,
    stopEarly = false,
    unknown = () => true,
  } = options;
  const synonyms = synonymsOf(alias);
  const names = (listed: string | readonly string[] | undefined) =>
    new Set(list(listed).flatMap((key) => [key, ...(synonyms.get(key) ?? [])]));
  const booleans = names(typeof boolean === "boolean" ? [] : boolean);
  const strings = names(options.string);
  const collected = names(options.collect);
  const negatable = names(options.negatable);
  const result: Args = { _: [] };

  const set = (
    key: string,
    given: Value,
    arg: string,
    collect = true,
  ): void => {
    const declared = booleans.has(key) || strings.has(key) ||
      synonyms.has(key) ||
      (boolean === true && /^--[^=]+$/.test(arg));
    if (!declared && unknown(arg, key, given) === false) return;
    const value = typeof given === "string" && !strings.has(key) ? numberOr(given) : given;
    for (const name of [key, ...(synonyms.get(key) ?? [])]) {
      put(result, name, value, collect && collected.has(key));
    }
  };
  const bare = (key: string): Value => strings.has(key) ? "" : true;
  const takesNone = (key: string): boolean =>
    booleans.has(key) ||
    (synonyms.get(key) ?? []).some((name) => booleans.has(name));
  /** Sets a flag without `=` from the argument after it; returns how many arguments that took. */
  const setFromNext = (
    key: string,
    next: string | undefined,
    arg: string,
    free: boolean,
  ) => {
    const taken = next ? free ? next : boolWord(next) : undefined;
    set(key, taken ?? bare(key), arg);
    return taken === undefined ? 0 : 1;
  };

  const end = args.indexOf("--");
  const flagged = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end + 1);
  for (let i = 0; i < flagged.length; i++) {
    const arg = flagged[i]!;
    const next = flagged[i + 1];
    const groups = FLAG.exec(arg)?.groups;
    if (groups === undefined) {
      if (unknown(arg) !== false) {
        result._.push(strings.has("_") ? arg : numberOr(arg));
      }
      if (stopEarly) {
        result._.push(...flagged.slice(i + 1));
        break;
      }
    } else if (groups["long"]) {
      const { no, value } = groups;
      const key = groups["key"]!;
      if (value) set(key, booleans.has(key) ? value !== "false" : value, arg);
      else if (no && negatable.has(key)) set(key, false, arg, false);
      else {
        const name = no ? `no-${key}` : key;
        const free = !takesNone(name) && boolean !== true &&
          !next?.startsWith("-");
        i += setFromNext(name, next, arg, free);
      }
    } else {
      const last = setCluster(arg, set, bare);
      if (last !== undefined) {
        const free = !takesNone(last) && !/^--?[^-]/.test(next ?? "");
        i += setFromNext(last, next, arg, free);
      }
    }
  }

  const missing = (key: string) => !has(result, key);
  for (const [key, value] of Object.entries(options.default ?? {})) {
    if (!missing(key)) continue;
    for (const name of [key, ...(synonyms.get(key) ?? [])]) {
      put(result, name, value, false);
    }
  }
  for (const key of booleans) {
    if (missing(key)) put(result, key, collected.has(key) ? [] : false);
  }
  for (const key of strings) {
    if (missing(key) && collected.has(key)) put(result, key, []);
  }
  if (options["--"]) result["--"] = rest;
  else result._.push(...rest);
  return result;
}

/**
 * Sets the flags of `-abc` but the last, which may take the next argument: it is returned, unless
 * the text after an earlier letter was that letter's value (`-n5`, `-n=5`, `-n/x`).
 */
function setCluster(
  arg: string,
  set: (key: string, value: Value, arg: string) => void,
  bare: (key: string) => Value,
): string | undefined {
  for (let i = 1; i < arg.length - 1; i++) {
    const letter = arg[i]!;
    const after = arg.slice(i + 1);
    if (after === "-") {
      set(letter, after, arg);
      continue;
    }
    const isLetter = /[A-Za-z]/.test(letter);
    const assigned = isLetter ? /=(.+)/.exec(after)?.[1] : undefined;
    const isNumber = isLetter && /\d(\.\d*)?(e-?\d+)?$/.test(after);
    const isText = after.length > 1 && /^\W/.test(after);
    if (assigned !== undefined || isNumber || isText) {
      set(letter, assigned ?? after, arg);
      return undefined;
    }
    set(letter, bare(letter), arg);
  }
  const last = arg.at(-1)!;
  return last === "-" ? undefined : last;
}

function synonymsOf(
  alias: Record<string, string | readonly string[]>,
): Map<string, string[]> {
  const synonyms = new Map<string, string[]>();
  for (const [key, others] of Object.entries(alias)) {
    if (others === undefined) {
      throw new TypeError("Alias value must be defined");
    }
    const all = [key, ...list(others)];
    for (const name of all) {
      synonyms.set(
        name,
        all.filter((other) => other !== name),
      );
    }
  }
  return synonyms;
}

function list(
  value: string | readonly string[] | undefined,
): readonly string[] {
  return (typeof value === "string" ? [value] : value ?? []).filter(Boolean);
}

function numberOr(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

function boolWord(text: string): boolean | undefined {
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** Sets `a.b` as a nested property. */
function put(
  target: Record<string, unknown>,
  path: string,
  value: unknown,
  collect = false,
): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  for (const key of keys) {
    target = (target[key] ??= {}) as Record<string, unknown>;
  }
  const old = target[last];
  if (!collect) target[last] = value;
  else if (Array.isArray(old)) old.push(value);
  else target[last] = old ? [old, value] : [value];
}

function has(target: unknown, path: string): boolean {
  return path.split(".").every((key) => {
    if (
      target === undefined || target === null || !Object.hasOwn(target, key)
    ) return false;
    target = (target as Record<string, unknown>)[key];
    return true;
  });
}
