/** The manual page, made of the tables of all commands: `socktool man`. */
import { defineCommand } from "./_cli/mod.ts";
import type { AnyCommand, Program } from "./_cli/mod.ts";
import { renderCommandPage, renderProgramPage } from "./_cli/man/page.ts";

/** Makes the command, which reads the tables of a program's commands. */
export function manCommand(program: Program): AnyCommand {
  const entries = program.commands.filter(({ hidden }) => !hidden);
  return defineCommand({
    name: "man",
    summary: "print the manual page in troff, for man and the like",
    arguments: {
      command: {
        type: "choice",
        choices: entries.map(({ name }) => name),
        optional: true,
        help: "print the page of this command only",
      },
    },
    examples: [
      ["socktool man | man -l -", "read it here; on macOS: socktool man | mandoc -a"],
      ["socktool man app-server | man -l -", "the page of one command"],
      [
        "mkdir -p ~/.local/share/man/man1 && socktool man > ~/.local/share/man/man1/socktool.1",
        "install it for man socktool",
      ],
    ],
    async run({ args }, { out }) {
      const commands = await Promise.all(entries.map(({ load }) => load()));
      const subject = { program, commands };
      const chosen = commands.find(({ name }) => name === args.command);
      await out.text(
        chosen === undefined ? renderProgramPage(subject) : renderCommandPage(chosen, subject),
      );
    },
  });
}
