import type { Candidates, CompletedCommand, CompletedFlag, CompletionModel } from "./model.ts";

/**
 * A completion script for bash 3.2, which macOS has, and later. It does not need the package
 * bash-completion.
 */
export function renderBash(model: CompletionModel): string {
  const { name, commands } = model;
  const commandWords = commands.map((command) => command.name).join(" ");
  return `# bash completion for ${name}.
# For this shell: eval "\$(${name} completions bash)"
# For all later ones: ${name} completions bash > ~/.local/share/bash-completion/completions/${name}

# Sets kind to what can follow: "free", "paths", "folders", "words A B C", or nothing.
_${name}_value() {
    kind=
    case "$1 $2" in
${commands.flatMap((command) => valueCases(command)).join("\n")}
    esac
}

# The same for the word in a place that is no flag's: the command, then the place from 0.
_${name}_word() {
    kind=
    case "$1 $2" in
${commands.flatMap((command) => wordCases(command)).join("\n")}
    esac
}

_${name}_flags() {
    case "$1" in
${commands.map((command) => `    ${command.name}) flags='${forms(command.flags)}' ;;`).join("\n")}
    *) flags='${forms(model.flags)}' ;;
    esac
}

# Prints what is of a kind and starts with a text.
_${name}_candidates() {
    case "$1" in
    "words "*) compgen -W "\${1#words }" -- "$2" ;;
    paths) compgen -f -- "$2" ;;
    folders) compgen -d -- "$2" ;;
    esac
}

# Offers them; the third word is put before each.
_${name}_reply() {
    local line
    while IFS= read -r line; do
        COMPREPLY[\${#COMPREPLY[@]}]="\${3:-}$line"
    done < <(_${name}_candidates "$1" "$2")
    case "$1" in
    paths | folders) compopt -o filenames 2>/dev/null ;;
    esac
}

_${name}() {
    local kind flags word current command='' ended='' pending='' prefix='' place=0 i
    local -a words=()
    COMPREPLY=()
    # bash takes --data=x apart at the equals sign; here it is one word again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        if ((\${#words[@]} > 0)) && [[ \${words[\${#words[@]} - 1]} == --* ]] &&
            [[ $word == = || \${words[\${#words[@]} - 1]} == *= ]]; then
            words[\${#words[@]} - 1]+=$word
        else
            words[\${#words[@]}]=$word
        fi
    done
    current=\${words[\${#words[@]} - 1]}
    for ((i = 0; i < \${#words[@]} - 1; i++)); do
        word=\${words[i]}
        if [[ -n $pending ]]; then
            pending=
        elif [[ -z $command ]]; then
            [[ $word == -* ]] || command=$word
        elif [[ -n $ended || $word != -?* ]]; then
            place=$((place + 1))
        elif [[ $word == -- ]]; then
            ended=1
        else
            _${name}_value "$command" "$word"
            [[ -n $kind ]] && pending=$word
        fi
    done
    if [[ -n $pending ]]; then
        _${name}_value "$command" "$pending"
        _${name}_reply "$kind" "$current"
    elif [[ -z $ended && $current == --*=* ]]; then
        _${name}_value "$command" "\${current%%=*}"
        # Only what follows the last of these characters is replaced by readline.
        [[ $COMP_WORDBREAKS == *=* ]] || prefix="\${current%%=*}="
        _${name}_reply "$kind" "\${current#*=}" "$prefix"
    elif [[ -z $ended && $current == -* ]]; then
        _${name}_flags "$command"
        _${name}_reply "words $flags" "$current"
    elif [[ -z $command ]]; then
        _${name}_reply "words ${commandWords}" "$current"
    else
        _${name}_word "$command" "$place"
        _${name}_reply "$kind" "$current"
    fi
}

complete -F _${name} ${name}
`;
}

function valueCases(command: CompletedCommand): string[] {
  const byKind = new Map<string, string[]>();
  for (const flag of command.flags) {
    if (flag.value === undefined) continue;
    const kind = kindText(flag.value);
    const patterns = byKind.get(kind) ?? [];
    byKind.set(kind, patterns);
    for (const form of [flag.long, flag.short]) {
      if (form !== undefined) patterns.push(`"${command.name} ${form}"`);
    }
  }
  return [...byKind].map(([kind, patterns]) => `    ${patterns.join(" | ")}) kind='${kind}' ;;`);
}

function wordCases({ name, words, rest }: CompletedCommand): string[] {
  const cases = words.map(({ candidates }, place) =>
    `    "${name} ${place}") kind='${kindText(candidates)}' ;;`
  );
  return rest === undefined
    ? cases
    : [...cases, `    "${name} "*) kind='${kindText(rest.candidates)}' ;;`];
}

/** The words are letters, digits and hyphens, which need no quotes. */
function kindText(candidates: Candidates): string {
  return candidates.kind === "words" ? `words ${candidates.words.join(" ")}` : candidates.kind;
}

function forms(flags: readonly CompletedFlag[]): string {
  return flags.flatMap(({ short, long }) => short === undefined ? [long] : [short, long]).join(" ");
}
