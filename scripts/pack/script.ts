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
import { groupsOf } from "../../cmd/_cli/help.ts";
import { parseInput } from "../../cmd/_cli/parse.ts";
import type { FlagValues } from "../../cmd/_cli/spec.ts";
import { twoColumns } from "../../cmd/_cli/wrap.ts";

/** A script of a task. */
export interface Script<F extends FlagTable> {
  /** The task's name. */
  readonly task: string;
  /** What it does, in a line or some. */
  readonly about: string;
  readonly flags: F;
  run(flags: FlagValues<F>): Promise<void>;
}

/** Runs a script with the arguments of this process, and ends the process. */
export async function runScript<const F extends FlagTable>(script: Script<F>): Promise<never> {
  const { task, about, flags } = script;
  const command = defineCommand({ name: task, summary: about, examples: [], flags, run() {} });
  if (asksForHelp(Deno.args)) {
    const rows = groupsOf(flags).flatMap(([, list]) => list);
    say([about, "", `Usage: deno task ${task} [flags]`, "", ...twoColumns(rows, { width: 100 })]
      .join("\n"));
    Deno.exit(EXIT.ok);
  }
  try {
    await script.run(parseInput(command, Deno.args).flags as FlagValues<F>);
    Deno.exit(EXIT.ok);
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
