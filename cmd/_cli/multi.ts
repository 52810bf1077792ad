import type { AnyCommand } from "./command.ts";
import { examplesFor } from "./example_line.ts";
import { EXIT, UsageError } from "./exit_code.ts";
import { type HelpOptions, titleLines } from "./help.ts";
import { type Host, processHost } from "./host.ts";
import { importLater } from "../../lib/base/import_later.ts";
import { suggestion } from "../../lib/base/nearest.ts";
import { printText } from "./output.ts";
import { createStyle } from "./terminal_text.ts";
import type { TopicEntry } from "./topics.ts";
import { twoColumns } from "./wrap.ts";

/** A command of a program, loaded only when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** The same line as the command's own. */
  readonly summary: string;
  /** Words that people try for it. They are not taken for it, but it is named. */
  readonly triedAs?: readonly string[];
  /** Whether it works without being listed. @default {false} */
  readonly hidden?: boolean;
  load(): Promise<AnyCommand>;
}

/** A program of several commands. */
export interface Program {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  /** In the order of the help. */
  readonly commands: readonly CommandEntry[];
  /** What holds for all commands, for `help TOPIC`. */
  readonly topics: readonly TopicEntry[];
  /** A command line, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
}

/**
 * Runs the command that the first argument names; the rest are its own. Resolves to the exit code.
 *
 * `help`, `--help`, `-h`, `help COMMAND`, `help TOPIC` and `--version` are answered here. For those about the whole
 * program neither a command nor what runs one is loaded.
 */
export async function runMulti(program: Program, host: Host = processHost()): Promise<number> {
  const [first, ...rest] = host.args;
  try {
    switch (first) {
      case undefined:
        throw new UsageError("say which command");
      case "help":
      case "--help":
      case "-h":
        if (rest[0] !== undefined && !rest[0].startsWith("-")) {
          return await help(program, rest[0], host);
        }
        await printText(host.stdout, renderProgramHelp(program, helpOptions(host)));
        return EXIT.ok;
      case "--version":
      case "-V":
        await printText(host.stdout, `${program.name} ${program.version}\n`);
        return EXIT.ok;
      default:
        return await run(program, first, rest, host);
    }
  } catch (error) {
    const { reportFailure } = await importRun();
    return await reportFailure(error, host, "");
  }
}

/** The flags of the program itself: their forms, and what they do. */
export const PROGRAM_FLAGS = [["-h, --help", "show this help"], [
  "-V, --version",
  "show the version",
]] as const;

/** What the program's `--help` prints. */
export function renderProgramHelp(program: Program, options: HelpOptions = {}): string {
  const { columns = 80, style = createStyle(false) } = options;
  const width = Math.max(40, columns);
  const commands = program.commands
    .filter(({ hidden }) => !hidden)
    .map(({ name, summary }): [string, string] => [name, summary]);
  return [
    ...titleLines(program.name, program.summary, width, style),
    "",
    style.bold("Examples:"),
    ...examplesFor(program.examples).flatMap((
      [line, what],
    ) => [`  ${style.dim(`# ${what}`)}`, `  ${line}`]),
    "",
    style.bold("Usage:"),
    `  ${program.name} COMMAND [arguments] [flags]`,
    `  ${program.name} help COMMAND`,
    `  ${program.name} help topics`,
    "",
    style.bold("Commands:"),
    ...twoColumns(commands, { width, dress: style.bold }),
    "",
    style.bold("Flags:"),
    ...twoColumns(PROGRAM_FLAGS, { width, dress: style.bold }),
    "",
  ].join("\n");
}

/** Prints the help of a command or on a topic. */
async function help(program: Program, name: string, host: Host): Promise<number> {
  const topic = program.topics.find((topic) => topic.name === name);
  if (topic === undefined && name !== "topics") {
    if (!program.commands.some((command) => command.name === name)) {
      throw unknown(program, name, ["topics", ...program.topics.map((topic) => topic.name)]);
    }
    return await run(program, name, ["--help"], host);
  }
  const { renderTopic, renderTopics } = await importTopics();
  const text = topic === undefined
    ? renderTopics(program.name, program.topics, helpOptions(host))
    : await renderTopic(topic, helpOptions(host));
  await printText(host.stdout, text);
  return EXIT.ok;
}

async function run(
  program: Program,
  name: string,
  args: readonly string[],
  host: Host,
): Promise<number> {
  const entry = program.commands.find((command) => command.name === name);
  if (entry === undefined) throw unknown(program, name);
  const [{ runCommand }, command] = await Promise.all([importRun(), entry.load()]);
  return await runCommand(command, { ...host, args });
}

/** The error for a word that names nothing. @param topics What it could mean besides commands. */
function unknown(program: Program, name: string, topics: readonly string[] = []): UsageError {
  const commands = program.commands.filter(({ hidden }) => !hidden);
  const meant = name === "version"
    ? ["--version"]
    : commands.filter(({ triedAs }) => triedAs?.includes(name)).map((command) => command.name);
  if (meant.length > 0) {
    return new UsageError(`unknown command ${name} (did you mean ${listed(meant)}?)`);
  }
  const [what, names] = name.startsWith("-")
    ? ["flag", ["--help", "--version"]]
    : ["command", [...commands.map((command) => command.name), ...topics]];
  return new UsageError(`unknown ${what} ${name}${suggestion(name, names)}`);
}

/** `a, b or c`. */
function listed(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]+)$/, " or $1");
}

/** What runs a command. Neither the version nor the help of the program needs it. */
function importRun(): Promise<typeof import("./run.ts")> {
  return importLater(new URL("./run.ts", import.meta.url));
}

function importTopics(): Promise<typeof import("./topics.ts")> {
  return importLater(new URL("./topics.ts", import.meta.url));
}

function helpOptions(host: Host): HelpOptions {
  const color = host.stdout.isTerminal() && !host.noColor && !host.args.includes("--no-color");
  return { columns: host.columns(), style: createStyle(color) };
}
