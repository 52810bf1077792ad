import { parseArgs } from "@std/cli/parse-args";
import { suggestion } from "../../lib/base/nearest.ts";
import type { FlagSpec, FlagTable } from "./spec.ts";
import { UsageError } from "./exit_code.ts";

/** A command line taken apart, before any text is read as a value. */
export interface SplitArgv {
  /** The texts given for each flag that has a value. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  /** The flags without a value that were given: `true` for `--x`, `false` for `--no-x`. */
  readonly switches: ReadonlyMap<string, boolean>;
  /** Everything else, in order. */
  readonly words: readonly string[];
}

/**
 * Takes a command line apart by a table of flags. What follows `--` is no flag.
 *
 * @throws {UsageError} if a flag is unknown, lacks its value, has a value but takes none, or is
 * given twice though it is not repeatable.
 */
export function splitArgv(table: FlagTable, argv: readonly string[]): SplitArgv {
  const names = Object.keys(table);
  const isSwitch = (name: string) => table[name]?.type === "boolean";
  const switchNames = names.filter(isSwitch);
  const valued = names.filter((name) => !isSwitch(name));
  const negatable = switchNames.filter((name) => table[name]!.default === true);
  const parsed: Readonly<Record<string, unknown>> = parseArgs(settle(table, argv), {
    boolean: switchNames,
    string: [...valued, "_"],
    collect: valued,
    negatable,
    default: Object.fromEntries(negatable.map((name) => [name, true])),
  });

  const texts = new Map<string, readonly string[]>();
  for (const name of valued) {
    const given = parsed[name] as readonly string[];
    if (given.length > 1 && !(table[name] as { repeat?: boolean }).repeat) {
      throw new UsageError(`--${name} is given ${given.length} times, but takes one value`);
    }
    if (given.length > 0) texts.set(name, given);
  }
  const switches = new Map<string, boolean>();
  for (const name of switchNames) {
    const on = parsed[name] === true;
    if (on !== negatable.includes(name)) switches.set(name, on);
  }
  return { texts, switches, words: parsed["_"] as readonly string[] };
}

/** Whether a command line asks for help, whatever else is wrong with it. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).some((word) =>
    word === "--help" || word === "-h"
  );
}

/**
 * Writes every flag as `--name=value`, and refuses unknown ones. Without this, `parseArgs` takes a
 * word `true` after `--json` for its value, gives `--data -` an empty value, reads `--data=` as a
 * flag `data=`, and mixes `--_` with the words.
 */
function settle(table: FlagTable, argv: readonly string[]): string[] {
  const settled: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    const valueFor = (name: string, attached: string | undefined): string => {
      const text = attached ?? argv[++i];
      if (text === undefined || (attached === undefined && looksLikeFlag(text))) {
        const hint = text === undefined ? "" : ` (--${name}=${text} if that is it)`;
        throw new UsageError(`--${name} needs a value${hint}`);
      }
      if (text === "") throw new UsageError(`--${name}: the value is empty`);
      return `--${name}=${text}`;
    };
    if (word === "--") return [...settled, ...argv.slice(i)];
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const spec = Object.hasOwn(table, name) ? table[name] : undefined;
      const attached = equals < 0 ? undefined : word.slice(equals + 1);
      if (spec === undefined) {
        const negated = /^no-(.*)$/.exec(word.slice(2))?.[1] ?? "";
        if (!Object.hasOwn(table, negated) || table[negated]!.default !== true) {
          throw unknownFlag(table, word);
        }
        settled.push(word);
      } else if (spec.type !== "boolean") settled.push(valueFor(name, attached));
      else if (attached === undefined) settled.push(`--${name}=true`);
      else throw new UsageError(`--${name} takes no value`);
    } else if (looksLikeFlag(word)) {
      for (let at = 1; at < word.length; at++) {
        const [name, spec] = byShort(table, word[at]!);
        if (spec === undefined) throw unknownFlag(table, `-${word[at]}`);
        if (spec.type === "boolean") settled.push(`--${name}=true`);
        else {
          const rest = word.slice(at + 1).replace(/^=/, "");
          settled.push(valueFor(name, rest === "" ? undefined : rest));
          break;
        }
      }
    } else {
      settled.push(word);
    }
  }
  return settled;
}

/** `-` alone is stdin or stdout, not a flag. */
function looksLikeFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

function byShort(table: FlagTable, letter: string): [string, FlagSpec | undefined] {
  return Object.entries(table).find(([, spec]) => spec.short === letter) ?? ["", undefined];
}

function unknownFlag(table: FlagTable, arg: string): UsageError {
  const typed = arg.replace(/=.*/s, "");
  const names = Object.entries(table)
    .filter(([, spec]) => !spec.hidden)
    .map(([name, spec]) => spec.default === true ? `--no-${name}` : `--${name}`);
  return new UsageError(
    `unknown flag ${typed}${typed.startsWith("--") ? suggestion(typed, names) : ""}`,
  );
}
