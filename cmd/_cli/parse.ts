import { splitArgv } from "./argv.ts";
import type { AnyCommand } from "./command.ts";
import { readPositionals } from "./positionals.ts";
import type { AnyValue, FlagTable, ValueFlag } from "./spec.ts";
import { UsageError } from "./exit_code.ts";
import { readValue } from "./values.ts";

type Values = Readonly<Record<string, AnyValue | readonly AnyValue[] | undefined>>;

/** A command line read by a table that the compiler does not know. */
export interface AnyInput {
  readonly flags: Values;
  readonly args: Values;
  readonly given: ReadonlySet<string>;
}

/**
 * Reads a command line by a command's table.
 *
 * @param env Looks up an environment variable.
 * @throws {UsageError} with one line that says what is wrong.
 */
export function parseInput(
  command: AnyCommand,
  argv: readonly string[],
  env: (name: string) => string | undefined = () => undefined,
): AnyInput {
  const table: FlagTable = command.flags;
  const { texts, switches, words } = splitArgv(table, argv);
  const given = new Set([...texts.keys(), ...switches.keys()]);
  checkCombinations(table, given);
  const flags: Record<string, AnyValue | readonly AnyValue[] | undefined> = {};
  for (const [name, spec] of Object.entries(table)) {
    if (spec.type === "boolean") flags[name] = switches.get(name) ?? spec.default ?? false;
    else {
      // A flag on the command line overrules the variables that contradict it.
      const overruled = [...given].some((other) => contradict(table, name, other));
      flags[name] = flagValue(name, spec, texts.get(name), overruled ? () => undefined : env);
    }
  }
  const args = readPositionals(command.arguments, words);
  return { flags, args, given };
}

function flagValue(
  name: string,
  spec: ValueFlag,
  texts: readonly string[] | undefined,
  env: (name: string) => string | undefined,
): AnyValue | readonly AnyValue[] | undefined {
  const label = `--${name}`;
  if (texts !== undefined) {
    const values = texts.map((text) => readValue(spec, text, label));
    return spec.repeat ? values : values[0];
  }
  const fromEnv = spec.env === undefined ? undefined : env(spec.env);
  if (spec.env !== undefined && fromEnv) {
    const value = readValue(spec, fromEnv, `${spec.env} in the environment`);
    return spec.repeat ? [value] : value;
  }
  if (spec.default === undefined) return spec.repeat ? [] : undefined;
  const value = readValue(spec, spec.default, `default of ${label}`);
  return spec.repeat ? [value] : value;
}

function checkCombinations(table: FlagTable, given: ReadonlySet<string>): void {
  for (const name of given) {
    const { conflicts = [], requires = [] } = table[name]!;
    const rival = conflicts.find((other) => given.has(other));
    if (rival !== undefined) {
      throw new UsageError(`--${name} and --${rival} contradict each other`);
    }
    const lacking = requires.find((other) => !given.has(other));
    if (lacking !== undefined) throw new UsageError(`--${name} needs --${lacking} beside it`);
  }
}

function contradict(table: FlagTable, one: string, other: string): boolean {
  return table[one]!.conflicts?.includes(other) === true ||
    table[other]!.conflicts?.includes(one) === true;
}
