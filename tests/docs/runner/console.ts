/** One command of a `console` block and what the page shows as its output. */
export interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

/**
 * Reads a `console` block. A line that begins with `$ ` is a command. It goes on in the next line
 * after a backslash, and up to the last line of a here-document; such lines may begin with `> `, as
 * a shell shows them. All other lines are output.
 *
 * @throws {Error} if output comes before the first command.
 */
export function readConsole(text: string): Step[] {
  const steps: { command: string; expected: string[] }[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.startsWith("$ ")) {
      const command = [line.slice(2)];
      while (at + 1 < lines.length && goesOn(command)) {
        command.push(lines[++at]!.replace(/^> /, ""));
      }
      steps.push({ command: command.join("\n"), expected: [] });
    } else if (steps.length > 0) {
      steps.at(-1)!.expected.push(line);
    } else {
      throw new Error(`output before the first command: ${line}`);
    }
  }
  return steps;
}

function goesOn(command: readonly string[]): boolean {
  const [, word] = /<<-?\s*['"]?(\w+)['"]?/.exec(command[0]!) ?? [];
  if (word !== undefined) return command.length === 1 || command.at(-1)!.trim() !== word;
  return command.at(-1)!.endsWith("\\");
}
