import type { Candidates, CompletedCommand, CompletedFlag, CompletionModel } from "./model.ts";

/** A completion script for fish 3.1 and later. */
export function renderFish(model: CompletionModel): string {
  const { name, commands } = model;
  return `# fish completion for ${name}.
# For this shell: ${name} completions fish | source
# For all later ones: ${name} completions fish > ~/.config/fish/completions/${name}.fish

# Whether the command is the one given, or, where none is given, whether there is none yet.
function __${name}_command
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; and continue
        test "$word" = "$argv[1]"
        return
    end
    test -z "$argv[1]"
end

# How many words stand after the command; the values of flags, which are named, do not count.
function __${name}_place
    set -l words (commandline -opc)
    set -l place -1
    set -l skip 0
    set -l ended 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
        else if test $place -lt 0
            string match -q -- '-*' $word; or set place 0
        else if test "$word" = --; and test $ended = 0
            set ended 1
        else if test $ended = 0; and contains -- $word $argv
            set skip 1
        else if test $ended = 1; or not string match -q -- '-?*' $word
            set place (math $place + 1)
        end
    end
    echo $place
end

complete -c ${name} -f
${model.flags.map((flag) => flagLine(name, "", flag)).join("\n")}
${
    commands.map((command) =>
      `complete -c ${name} -n __${name}_command -a ${command.name} -d ${quote(command.summary)}`
    ).join("\n")
  }
${commands.map((command) => commandLines(name, command)).join("\n")}
`;
}

function commandLines(program: string, command: CompletedCommand): string {
  const { name, flags, words, rest } = command;
  const lines = [`\n# ${name}`, ...flags.map((flag) => flagLine(program, name, flag))];
  const valued = flags.filter(({ value }) => value !== undefined)
    .flatMap(({ long, short }) => short === undefined ? [long] : [short, long]).join(" ");
  const place = `(__${program}_place ${valued})`.replace(" )", ")");
  const isCommand = `__${program}_command ${name}`;
  for (const [i, { candidates }] of words.entries()) {
    if (candidates.kind === "free") continue;
    const condition = quote(`${isCommand}; and test ${place} -eq ${i}`);
    lines.push(`complete -c ${program} -n ${condition} ${offer(candidates)}`);
  }
  if (rest !== undefined && rest.candidates.kind !== "free") {
    const condition = words.length === 0
      ? isCommand
      : `${isCommand}; and test ${place} -ge ${words.length}`;
    lines.push(`complete -c ${program} -n ${quote(condition)} ${offer(rest.candidates)}`);
  }
  return lines.join("\n");
}

function flagLine(program: string, command: string, flag: CompletedFlag): string {
  const { long, short, help, value } = flag;
  const condition = `__${program}_command${command === "" ? "" : ` ${command}`}`;
  const parts = [`complete -c ${program} -n ${quote(condition)} -l ${long.slice(2)}`];
  if (short !== undefined) parts.push(`-s ${short.slice(1)}`);
  if (value !== undefined) parts.push("-r", value.kind === "free" ? "-f" : offer(value));
  return [...parts, `-d ${quote(help)}`].join(" ");
}

/** The options of `complete` for what to offer: `-f` leaves files out, `-F` adds them. */
function offer(candidates: Candidates): string {
  switch (candidates.kind) {
    case "free":
      return "-f";
    case "words":
      return `-f -a ${quote(candidates.words.join(" "))}`;
    case "paths":
      return "-F";
    case "folders":
      return `-f -a '(__fish_complete_directories (commandline -ct))'`;
  }
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
