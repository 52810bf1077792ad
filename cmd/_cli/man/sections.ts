import { environmentRows } from "../environment.ts";
import type { AnyCommand } from "../command.ts";
import { argumentRows, exitCodeRows, groupsOf } from "../help.ts";
import { argumentLabel, type ArgumentTable, type FlagTable, isOptional } from "../spec.ts";
import { bold, italic, macro, prose, roff } from "./roff.ts";

type Row = readonly [term: string, text: string];

/** The heading of every command's common flags. */
export const COMMON_GROUP = "General flags";

/** A heading and its lines; no heading if there are no lines. */
export function section(title: string, lines: readonly string[]): string[] {
  // A heading begins a paragraph, so the first line need not.
  const first = lines[0] === macro("PP") ? 1 : 0;
  return lines.length === 0 ? [] : [macro("SH", roff(title)), ...lines.slice(first)];
}

/** Terms, each with its explanation indented below or beside it. The terms are escaped already. */
export function termList(rows: readonly Row[]): string[] {
  return rows.flatMap(([term, text]) => [macro("TP"), term, ...prose(text)]);
}

/** `socktool app-client [ADDRESS] ACTION VALUE [flags]`, as in the help's usage line. */
export function synopsis(command: AnyCommand): string {
  const words = Object.entries(command.arguments as ArgumentTable).map(([name, spec]) => {
    const label = italic(argumentLabel(name, spec)) + (spec.repeat ? roff("…") : "");
    return isOptional(spec) ? `[${label}]` : label;
  });
  return [bold(`socktool ${command.name}`), ...words, `[${italic("flags")}]`].join(" ");
}

/** A command's arguments. */
export function argumentList(command: AnyCommand): string[] {
  return termList(
    argumentRows(command.arguments).map(([label, text]): Row => [italic(label), text]),
  );
}

/** A table's flags by heading. */
export function flagLists(table: FlagTable): [title: string, lines: string[]][] {
  return groupsOf(table).map(([title, rows]) => [
    title,
    termList(rows.map(([term, text]): Row => [flagTermRoff(term), text])),
  ]);
}

/** `-d, --data PATH`: what is typed in bold, what is replaced in italics. */
function flagTermRoff(term: string): string {
  return term.trim().split(/(, | )/).map((part) => {
    if (part === ", " || part === " ") return part;
    return part.startsWith("-") ? bold(part) : italic(part);
  }).join("");
}

/** The command lines of examples, each under what it does. */
export function exampleList(examples: readonly Row[]): string[] {
  return examples.flatMap(([line, what]) => [
    macro("PP"),
    ...prose(`${what.replace(/^[a-z]/, (letter) => letter.toUpperCase())}:`),
    macro("PP"),
    macro("RS", "4"),
    bold(line),
    macro("RE"),
  ]);
}

/** Paragraphs. */
export function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [macro("PP"), ...prose(text)]);
}

/** A command's exit codes. */
export function exitList(command: AnyCommand): string[] {
  return termList(exitCodeRows(command).map(([code, text]): Row => [bold(code), text]));
}

/** The environment variables of the flags in the tables, and those of every command. */
export function environmentList(tables: readonly FlagTable[]): string[] {
  return termList(environmentRows(tables).map(([name, text]): Row => [bold(name), text]));
}
