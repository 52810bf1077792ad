/**
 * The examples of a help as the shell of this system takes them. They are written for a POSIX shell;
 * `cmd` knows only double quotes, and would take the `>` in single ones for a redirection. An example
 * that needs more of a POSIX shell (`$'…'`, `mkdir -p`) is left out there.
 */
export function examplesFor(
  examples: readonly (readonly [line: string, what: string])[],
  os: typeof Deno.build.os = Deno.build.os,
): readonly (readonly [line: string, what: string])[] {
  if (os !== "windows") return examples;
  return examples.filter(([line]) => !/\$'|mkdir -p/.test(line)).map(([line, what]) => [
    line.replace(/'([^']*)'/g, (_, text: string) => `"${text.replaceAll('"', '\\"')}"`),
    what,
  ]);
}
