import type { CompletedCommand, CompletedFlag, CompletedWord, CompletionModel } from "./model.ts";

/** A completion script for zsh: a file `_socktool` of `$fpath`, or to be sourced. */
export function renderZsh(model: CompletionModel): string {
  const { name, commands } = model;
  const described = commands.map((command) =>
    `        ${quote(`${command.name}:${command.summary}`)}`
  );
  return `#compdef ${name}
# zsh completion for ${name}.
# For this shell: eval "\$(${name} completions zsh)"
# For all later ones: ${name} completions zsh > a folder of $fpath, as _${name}

_${name}() {
    local curcontext="$curcontext" state line
    typeset -A opt_args
    _arguments -C -S \\
${lines(model.flags.map(flagSpec), 8)} \\
        '1:command:->command' \\
        '*::argument:->rest'
    case $state in
    command)
        _${name}_commands
        ;;
    rest)
        case $line[1] in
${commands.map(commandCase).join("\n")}
        esac
        ;;
    esac
}

_${name}_commands() {
    local -a commands
    commands=(
${described.join("\n")}
    )
    _describe -t commands command commands
}

# Read by the completion system this file is the function itself; sourced, it has to register it.
if [[ $funcstack[1] == _${name} ]]; then
    _${name} "$@"
else
    compdef _${name} ${name}
fi
`;
}

function commandCase({ name, flags, words, rest }: CompletedCommand): string {
  const places = words.map((word, i) => quote(`${i + 1}:${wordAction(word)}`));
  const specs = [
    ...flags.map(flagSpec),
    ...places,
    ...(rest === undefined ? [] : [quote(`*:${wordAction(rest)}`)]),
  ];
  // A command of no flags and words still has to say that nothing more can come.
  const text = specs.length === 0 ? "" : ` \\\n${lines(specs, 16)}`;
  return `        ${name})
            _arguments -s -S${text}
            ;;`;
}

function flagSpec({ long, short, help, repeat, conflicts, value, placeholder }: CompletedFlag) {
  const text = `[${help.replace(/[\\\]]/g, "\\$&")}]`;
  const argument = value === undefined
    ? ""
    : `:${action({ label: placeholder, candidates: value })}`;
  const forms = short === undefined ? [long] : [short, long];
  const excluded = repeat ? "" : `(${[...forms, ...conflicts].join(" ")})`;
  // `=` after a long flag allows --data=x and --data x, `+` after a short one -dx and -d x.
  const [shortMark, longMark] = value === undefined ? ["", ""] : ["+", "="];
  const star = repeat ? "*" : "";
  const spec = (form: string) => quote(`${excluded}${star}${form}${text}${argument}`);
  const all = [spec(`${long}${longMark}`)];
  if (short !== undefined) all.unshift(spec(`${short}${shortMark}`));
  return all.join(" ");
}

/** `message:action` of a word; a lone space as the action shows the message and offers nothing. */
function action({ label, candidates }: CompletedWord): string {
  const message = label.replace(/[\\:]/g, "\\$&");
  switch (candidates.kind) {
    case "free":
      return `${message}: `;
    case "words":
      return `${message}:(${candidates.words.join(" ")})`;
    case "paths":
      return `${message}:_files`;
    case "folders":
      return `${message}:_files -/`;
  }
}

/** The same for a positional word, where a message would keep zsh from inserting the only flag. */
function wordAction(word: CompletedWord): string {
  return word.candidates.kind === "free" ? `${word.label}:( )` : action(word);
}

function lines(specs: readonly string[], indent: number): string {
  return specs.map((spec) => " ".repeat(indent) + spec).join(" \\\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
