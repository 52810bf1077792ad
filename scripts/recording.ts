/**
 * Records the picture of the README: `deno task recording`. It runs commands on a terminal and draws
 * what they print, line by line, as an SVG that moves once and needs no script.
 *
 * It needs `script` of util-linux, which gives commands a terminal.
 *
 * @module
 */
import { ROOT } from "./pack/paths.ts";
import { runScript, say } from "./pack/script.ts";
import { type Line, svgOf } from "./recording/svg.ts";
import { COLUMNS, Terminal } from "./recording/terminal.ts";
import { SESSION, type Step } from "./recording/session.ts";

/** How long a command takes to be typed, and to be read. */
const TYPING_MS = 900;
const READING_MS = 1_600;

if (import.meta.main) {
  await runScript({
    task: "recording",
    about: "Records the picture of the README: a session on a terminal, as an SVG.",
    flags: {
      output: {
        type: "path",
        hint: "file",
        default: "docs/pictures/session.svg",
        help: "where to",
      },
    },
    async run({ output }) {
      const lines = await record(SESSION);
      await Deno.writeTextFile(output, svgOf(lines, COLUMNS));
      say(`${output}  ${lines.length} lines`);
    },
  });
}

/** Runs the session in a folder of its own, in which `socktool` is this checkout's. */
async function record(session: readonly Step[]): Promise<Line[]> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-recording-" });
  const background: Terminal[] = [];
  const lines: Line[] = [];
  let atMs = 0;
  try {
    const program = `#!/bin/sh\nexec "${Deno.execPath()}" run -A "${ROOT}/cmd/socktool.ts" "$@"\n`;
    await Deno.writeTextFile(`${folder}/socktool`, program, { mode: 0o755 });
    await Deno.symlink(`${ROOT}/docs`, `${folder}/docs`);
    for (const { command, ready } of session) {
      lines.push({ text: command, atMs, isCommand: true });
      atMs += TYPING_MS;
      const terminal = new Terminal(command.replace(/ &$/, ""), folder);
      if (ready !== undefined) background.push(terminal);
      await terminal.wait(ready);
      // What it caused in the background comes before its own last words.
      const printed = [...background.flatMap((other) => other.take()), ...terminal.take()];
      for (const text of printed) lines.push({ text, atMs: atMs += 60 });
      atMs += READING_MS;
    }
    return lines;
  } finally {
    await Promise.all(background.map((terminal) => terminal.end()));
    await Deno.remove(folder, { recursive: true });
  }
}
