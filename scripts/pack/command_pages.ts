/**
 * The page of each command in `docs/commands/`, made from its table as its `--help` is.
 *
 * @module
 */
import { argumentRows, exitCodeRows, groupsOf, usageLine } from "../../cmd/_cli/help.ts";
import type { AnyCommand } from "../../cmd/_cli/mod.ts";
import type { Program } from "../../cmd/_cli/multi.ts";

/** A page, by its path in the checkout. */
export interface CommandPage {
  readonly path: string;
  readonly text: string;
}

const FOLDER = "docs/commands";

/** All pages, with the index of them. */
export async function commandPages(program: Program): Promise<CommandPage[]> {
  const entries = program.commands.filter(({ hidden }) => !hidden);
  const commands = await Promise.all(entries.map(({ load }) => load()));
  const rows = commands.map(({ name, summary }): Row => [`[\`${name}\`](${name}.md)`, summary]);
  const index = [
    "# Commands",
    `What each command of \`${program.name}\` does, as \`--help\` tells it. These pages are made by ` +
    "`deno task command-pages`.",
    table(["command", "what it does"], rows),
  ];
  return [
    { path: `${FOLDER}/README.md`, text: joined(index) },
    ...commands.map((command) => ({
      path: `${FOLDER}/${command.name}.md`,
      text: pageOf(command),
    })),
  ];
}

type Row = readonly [term: string, text: string];

function pageOf(command: AnyCommand): string {
  const { name, summary, examples, notes } = command;
  return joined([
    `# socktool ${name}`,
    sentence(summary),
    shell([usageLine(command)]),
    ...(examples.length === 0 ? [] : [
      "## Examples",
      shell(examples.flatMap(([line, what]: readonly [string, string]) => [`# ${what}`, line])),
    ]),
    ...section("Arguments", argumentRows(command.arguments)),
    ...groupsOf(command.flags).flatMap(([title, flags]) => section(title, flags)),
    ...(notes.length === 0 ? [] : ["## Notes", ...notes.map(markdown)]),
    ...section("Exit codes", exitCodeRows(command)),
  ]);
}

function section(title: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  return [`## ${title}`, table(["", ""], rows.map(([term, text]) => [code(term.trim()), text]))];
}

/** The blocks are not run: a test of each command runs what is like them. */
function shell(lines: readonly string[]): string {
  return ["<!-- norun: as the help shows it -->", "", "```sh", ...lines, "```"].join("\n");
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), "| --- | --- |", ...rows.map(([term, text]) => line([term, markdown(text)]))]
    .join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Text of a help, in which nothing is Markdown. */
function markdown(text: string): string {
  return text.replace(/[*_<>[\]`\\]/g, "\\$&");
}

function sentence(text: string): string {
  return `${text.replace(/^[a-z]/, (letter) => letter.toUpperCase())}.`;
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join("\n\n")}\n`;
}
