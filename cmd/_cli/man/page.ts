import type { AnyCommand } from "../command.ts";
import { CACHE_VARIABLE } from "../environment.ts";
import { commonFlags } from "../flag_groups.ts";
import { type Program, PROGRAM_FLAGS } from "../multi.ts";
import { bold, fallbacksFor, italic, macro, prose, roff } from "./roff.ts";
import {
  argumentList,
  COMMON_GROUP,
  environmentList,
  exampleList,
  exitList,
  flagLists,
  paragraphs,
  section,
  synopsis,
  termList,
} from "./sections.ts";

/** What the manual pages describe. */
export interface PageSubject {
  readonly program: Program;
  /** All commands that are listed. */
  readonly commands: readonly AnyCommand[];
}

/** The page of the whole program, `socktool(1)`. */
export function renderProgramPage({ program, commands }: PageSubject): string {
  const { name, summary, examples } = program;
  return page(name, program, [
    ...section("NAME", [`${roff(name)} \\- ${roff(summary)}`]),
    ...section("SYNOPSIS", [
      `${bold(name)} ${italic("COMMAND")} [${italic("arguments")}] [${italic("flags")}]`,
      macro("br"),
      `${bold(`${name} help`)} ${italic("COMMAND")}`,
    ]),
    ...section("EXAMPLES", exampleList(examples)),
    ...section(
      "COMMANDS",
      commands.flatMap((command) => [
        macro("SS", synopsis(command)),
        ...prose(`${sentence(command.summary)}.`),
        ...argumentList(command),
        ...flagLists(command.flags).filter(([title]) => title !== COMMON_GROUP)
          .flatMap(([, lines]) => lines),
        ...paragraphs(command.notes),
        ...ownExitCodes(command),
      ]),
    ),
    ...section("FLAGS", [
      roff("Every command has these:"),
      ...flagLists(commonFlags).flatMap(([, lines]) => lines),
      macro("PP"),
      roff("The program itself has these:"),
      ...termList(PROGRAM_FLAGS.map(([term, text]) => [bold(term), text] as const)),
    ]),
    ...section(
      "ENVIRONMENT",
      [
        ...environmentList(commands.map((command) => command.flags)),
        ...termList([[bold(CACHE_VARIABLE[0]), CACHE_VARIABLE[1]]]),
      ],
    ),
    ...section(
      "EXIT STATUS",
      termList([
        [bold("0"), "All went well; a server ended as it was asked to."],
        [bold("1"), "Failed."],
        [bold("2"), "Wrong usage."],
        [bold("130"), "A client was interrupted."],
      ]),
    ),
  ]);
}

/** The page of one command, `socktool-app-server(1)`. */
export function renderCommandPage(command: AnyCommand, { program }: PageSubject): string {
  const title = `${program.name}-${command.name}`;
  return page(title, program, [
    ...section("NAME", [`${roff(title)} \\- ${roff(command.summary)}`]),
    ...section("SYNOPSIS", [synopsis(command)]),
    ...section("EXAMPLES", exampleList(command.examples)),
    ...section("ARGUMENTS", argumentList(command)),
    ...flagLists(command.flags).flatMap(([group, lines]) => section(group.toUpperCase(), lines)),
    ...section("NOTES", paragraphs(command.notes)),
    ...section("ENVIRONMENT", environmentList([command.flags])),
    ...section("EXIT STATUS", exitList(command)),
    ...section("SEE ALSO", [`${bold(program.name)}(1)`]),
  ]);
}

function page(title: string, program: Program, body: readonly string[]): string {
  const lines = [
    macro("TH", roff(title.toUpperCase()), "1", "", `${program.name} ${program.version}`),
    // Left-aligned and without hyphenation, so that a search finds flags as they are typed.
    ".ad l",
    ".nh",
    ...body,
  ];
  const [head, ...rest] = lines;
  return `${[head, ...fallbacksFor(lines), ...rest].join("\n")}\n`;
}

/** The exit codes that a command has besides those of all commands. */
function ownExitCodes(command: AnyCommand): string[] {
  const codes = Object.entries(command.exitCodes as Readonly<Record<string, string>>);
  if (codes.length === 0) return [];
  return [
    macro("PP"),
    roff("Exit status:"),
    ...termList(codes.map(([code, text]) => [bold(code), text] as const)),
  ];
}

function sentence(text: string): string {
  return text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
