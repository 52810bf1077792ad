import type { AnyCommand } from "./command.ts";
import { examplesFor } from "./example_line.ts";
import {
  argumentLabel,
  type ArgumentTable,
  type FlagSpec,
  type FlagTable,
  isOptional,
  placeholderOf,
} from "./spec.ts";
import { createStyle, type Style } from "./terminal_text.ts";
import { termWidthOf, twoColumns, wrap } from "./wrap.ts";

/** How the help is laid out. */
export interface HelpOptions {
  /** @default {80} */
  readonly columns?: number | undefined;
  /** @default {no style} */
  readonly style?: Style;
}

/** What a command's `--help` prints: what it does, examples, arguments, flags, exit codes. */
export function renderHelp(command: AnyCommand, options: HelpOptions = {}): string {
  const { columns = 80, style = createStyle(false) } = options;
  const width = Math.max(40, columns);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", style.bold(`${title}:`), ...lines];
  const groups = groupsOf(command.flags);
  const termWidth = termWidthOf(groups.flatMap(([, rows]) => rows.map(([term]) => term)));
  const pages = [
    ...titleLines(`socktool ${command.name}`, command.summary, width, style),
    ...section("Examples", exampleLines(command, width, style)),
    ...section("Usage", [`  ${usageLine(command)}`]),
    ...section("Arguments", twoColumns(argumentRows(command.arguments), { width })),
    ...groups.flatMap(([title, rows]) =>
      section(title, twoColumns(rows, { width, termWidth, dress: style.bold }))
    ),
    ...command.notes.flatMap((note: string) => ["", ...wrap(note, width)]),
    ...section("Exit codes", twoColumns(exitCodeRows(command), { width })),
  ];
  return `${pages.join("\n")}\n`;
}

/** The first lines of a help: a name and a summary. */
export function titleLines(name: string, summary: string, width: number, style: Style): string[] {
  const [first = "", ...more] = wrap(`${name}: ${summary}`, width);
  return [first.replace(name, style.bold(name)), ...more];
}

/** `socktool app-client [ADDRESS] ACTION VALUE [flags]`. */
export function usageLine(command: AnyCommand): string {
  const args = Object.entries(command.arguments as ArgumentTable).map(([name, spec]) => {
    const label = `${argumentLabel(name, spec)}${spec.repeat ? "…" : ""}`;
    return isOptional(spec) ? `[${label}]` : label;
  });
  return ["socktool", command.name, ...args, "[flags]"].join(" ");
}

/** The exit codes of a command and what they mean, in order. */
export function exitCodeRows(command: AnyCommand): [code: string, meaning: string][] {
  const codes: Record<number, string> = {
    0: command.role === "server" ? "ended as it was asked to" : "all went well",
    1: "failed",
    2: "wrong usage",
    ...(command.role === "client" ? { 130: "interrupted" } : {}),
    ...command.exitCodes,
  };
  return Object.entries(codes).map(([code, meaning]) => [code, meaning]);
}

/** A flag as the help and the man page write it: `--idle-timeout TIME`, `--no-color`. */
export function flagTerm(name: string, spec: FlagSpec): string {
  if (spec.type === "boolean") return spec.default === true ? `--no-${name}` : `--${name}`;
  return `--${name} ${placeholderOf(spec)}`;
}

/** A flag's help, its default, its environment variable, and whether it may be repeated. */
export function flagText(spec: FlagSpec): string {
  if (spec.type === "boolean") return spec.help;
  const extra = [
    spec.default === undefined ? "" : `default: ${spec.default}`,
    spec.env === undefined ? "" : `or ${spec.env} in the environment`,
    spec.repeat ? "repeatable" : "",
  ].filter(Boolean);
  return extra.length === 0 ? spec.help : `${spec.help} (${extra.join("; ")})`;
}

/** The flags that are not hidden, by heading, in the order in which the headings first occur. */
export function groupsOf(table: FlagTable): [title: string, rows: [string, string][]][] {
  const groups = new Map<string, [string, string][]>();
  for (const [name, spec] of Object.entries(table)) {
    if (spec.hidden) continue;
    const title = spec.group === undefined ? "Flags" : `${spec.group} flags`;
    const rows = groups.get(title) ?? [];
    groups.set(title, rows);
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    rows.push([short + flagTerm(name, spec), flagText(spec)]);
  }
  return [...groups];
}

/** The arguments, each with its help, its forms and its default. */
export function argumentRows(table: ArgumentTable): [label: string, text: string][] {
  return Object.entries(table).map(([name, spec]): [string, string] => {
    const extra = [
      spec.type === "address" ? "HOST PORT, HOST:PORT, [IPV6]:PORT or unix:PATH" : "",
      spec.type === "choice" ? `one of ${spec.choices.join(", ")}` : "",
      spec.default === undefined ? "" : `default: ${spec.default}`,
    ].filter(Boolean);
    const text = extra.length === 0 ? spec.help : `${spec.help} (${extra.join("; ")})`;
    return [argumentLabel(name, spec), text];
  });
}

function exampleLines(command: AnyCommand, width: number, style: Style): string[] {
  const examples = command.examples as readonly (readonly [string, string])[];
  return examplesFor(examples).flatMap(([line, what]) => [
    ...wrap(what, width - 4).map((text) => `  ${style.dim(`# ${text}`)}`),
    `  ${line}`,
  ]);
}
