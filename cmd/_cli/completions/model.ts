import type { AnyCommand } from "../command.ts";
import { flagTerm } from "../help.ts";
import { type Program, PROGRAM_FLAGS } from "../multi.ts";
import {
  argumentLabel,
  type ArgumentTable,
  type FlagSpec,
  type FlagTable,
  placeholderOf,
  type ValueSpec,
} from "../spec.ts";

/** What a shell can offer in one place of a command line. */
export type Candidates =
  /** Something that only the user knows: a number, a text, an address. */
  | { readonly kind: "free" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "paths" }
  | { readonly kind: "folders" };

/** A flag as a shell completes it. */
export interface CompletedFlag {
  /** `--data`, `--no-color`. */
  readonly long: string;
  /** `-d`. */
  readonly short: string | undefined;
  readonly help: string;
  readonly repeat: boolean;
  /** The long forms of the flags that contradict it. */
  readonly conflicts: readonly string[];
  /** What its value can be; `undefined` if it takes none. */
  readonly value: Candidates | undefined;
  /** What stands for its value in the help. */
  readonly placeholder: string;
}

/** A positional word of a command line. */
export interface CompletedWord {
  /** Its name in the help. */
  readonly label: string;
  readonly candidates: Candidates;
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** The first words, one after the other. */
  readonly words: readonly CompletedWord[];
  /** Every word after them; `undefined` if there can be none. */
  readonly rest: CompletedWord | undefined;
}

/** A program as a shell completes it. */
export interface CompletionModel {
  readonly name: string;
  /** The program's own flags. */
  readonly flags: readonly CompletedFlag[];
  readonly commands: readonly CompletedCommand[];
}

/** Reads the tables of a program and its commands, without what is hidden. */
export async function completionModel(program: Program): Promise<CompletionModel> {
  const entries = program.commands.filter(({ hidden }) => !hidden);
  const commands = await Promise.all(entries.map(async (entry) => completed(await entry.load())));
  const helpWord = {
    label: "COMMAND",
    candidates: {
      kind: "words",
      words: [...commands, { name: "topics" }, ...program.topics].map(({ name }) => name),
    },
  } as const;
  const help = {
    name: "help",
    summary: "show the help of a command, or on a topic",
    flags: [],
    words: [helpWord],
    rest: undefined,
  };
  return {
    name: program.name,
    flags: PROGRAM_FLAGS.map(([term, text]) => programFlag(term, text)),
    commands: [...commands, help],
  };
}

function completed(command: AnyCommand): CompletedCommand {
  const { name, summary } = command;
  const table = command.flags as FlagTable;
  const flags = Object.entries(table)
    .filter(([, spec]) => !spec.hidden)
    .map(([name, spec]) => completedFlag(name, spec, table));
  return { name, summary, flags, ...wordsOf(command.arguments) };
}

function completedFlag(name: string, spec: FlagSpec, table: FlagTable): CompletedFlag {
  const hasValue = spec.type !== "boolean";
  return {
    long: longForm(name, spec),
    short: spec.short === undefined ? undefined : `-${spec.short}`,
    help: spec.help,
    repeat: hasValue && spec.repeat === true,
    conflicts: Object.entries(table)
      .filter(([other, { conflicts = [] }]) =>
        conflicts.includes(name) || spec.conflicts?.includes(other)
      )
      .map(([other, rival]) => longForm(other, rival)),
    value: hasValue ? candidatesOf(spec) : undefined,
    placeholder: hasValue ? placeholderOf(spec) : "",
  };
}

function longForm(name: string, spec: FlagSpec): string {
  return flagTerm(name, spec).split(" ", 1)[0]!;
}

/** `-h, --help` as the program's help writes it. */
function programFlag(term: string, help: string): CompletedFlag {
  const [short, long = ""] = term.split(", ");
  return { long, short, help, repeat: false, conflicts: [], value: undefined, placeholder: "" };
}

/**
 * An address takes no, one or two words, so the place of a word behind it does not tell which
 * argument it is. The candidates of all arguments are then offered in every place.
 */
function wordsOf(table: ArgumentTable): Pick<CompletedCommand, "words" | "rest"> {
  const entries = Object.entries(table);
  const words = entries.map(([name, spec]): CompletedWord => ({
    label: argumentLabel(name, spec),
    candidates: candidatesOf(spec),
  }));
  if (entries[0]?.[1].type === "address") return { words: [], rest: anyOf(words) };
  const repeated = entries.at(-1)?.[1].repeat ? words.pop() : undefined;
  return { words, rest: repeated };
}

function anyOf(words: readonly CompletedWord[]): CompletedWord {
  const label = words.map((word) => word.label).join(" or ");
  const all = words.map(({ candidates }) => candidates);
  const choices = all.flatMap((each) => each.kind === "words" ? each.words : []);
  const paths = all.find((each) => each.kind === "paths" || each.kind === "folders");
  if (choices.length > 0) return { label, candidates: { kind: "words", words: choices } };
  return { label, candidates: paths ?? { kind: "free" } };
}

function candidatesOf(spec: ValueSpec): Candidates {
  if (spec.type === "choice") return { kind: "words", words: spec.choices };
  if (spec.type !== "path") return { kind: "free" };
  // The way to a file leads through folders, so both are offered.
  return { kind: spec.hint === "folder" ? "folders" : "paths" };
}
