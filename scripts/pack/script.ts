/**
 * What the scripts of this folder share: flags by the table that commands use, messages, and an
 * exit code.
 *
 * @module
 */
import {
  defineCommand,
  describeError,
  EXIT,
  type FlagTable,
  UsageError,
} from "../../cmd/_cli/mod.ts";
import { asksForHelp } from "../../cmd/_cli/argv.ts";
import { argumentRows, groupsOf, usageLine } from "../../cmd/_cli/help.ts";
import { parseInput } from "../../cmd/_cli/parse.ts";
import type { ArgumentTable, ArgumentValues, FlagValues } from "../../cmd/_cli/spec.ts";
import { twoColumns, wrap } from "../../cmd/_cli/wrap.ts";

/** A script of a task. */
export interface Script<F extends FlagTable, A extends ArgumentTable> {
  /** The task's name. */
  readonly task: string;
  /** What it does, in a few lines. */
  readonly about: string;
  readonly flags: F;
  readonly arguments?: A;
  /** Paragraphs for the end of the help. */
  readonly notes?: readonly string[];
  /** Does the work. @returns the exit code; 0 if nothing is returned. */
  run(flags: FlagValues<F>, args: ArgumentValues<A>): Promise<number | void>;
}

/** Runs a script with the arguments of this process, and ends the process. */
export async function runScript<
  const F extends FlagTable,
  const A extends ArgumentTable = Record<never, never>,
>(script: Script<F, A>): Promise<never> {
  const { task, about, flags, arguments: table = {} as A, notes = [] } = script;
  const command = defineCommand({
    name: task,
    summary: about,
    examples: [],
    flags,
    arguments: table,
    run() {},
  });
  if (asksForHelp(Deno.args)) {
    const usage = usageLine(command).replace(/^socktool/, "deno task");
    const flagRows = groupsOf(flags).flatMap(([, list]) => list);
    const [argumentLines, flagLines] = [argumentRows(table), flagRows]
      .map((rows) => rows.length === 0 ? [] : ["", ...twoColumns(rows, { width: 100 })]);
    const noteLines = notes.flatMap((note) => ["", ...wrap(note, 100)]);
    say([about, "", `Usage: ${usage}`, ...argumentLines!, ...flagLines!, ...noteLines].join("\n"));
    Deno.exit(EXIT.ok);
  }
  try {
    const input = parseInput(command, Deno.args);
    const code = await script.run(
      input.flags as FlagValues<F>,
      input.args as ArgumentValues<A>,
    );
    Deno.exit(code ?? EXIT.ok);
  } catch (error) {
    say(`error: ${describeError(error)}`);
    if (!(error instanceof UsageError)) Deno.exit(EXIT.failed);
    say(`run 'deno task ${task} --help' for help`);
    Deno.exit(EXIT.usage);
  }
}

/** Tells the user something. All that scripts print is for people. */
export function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}
