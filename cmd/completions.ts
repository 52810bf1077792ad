/** Scripts by which shells complete socktool's command lines: `socktool completions`. */
import { defineCommand } from "./_cli/mod.ts";
import type { AnyCommand, Program } from "./_cli/mod.ts";
import { renderBash } from "./_cli/completions/bash.ts";
import { renderFish } from "./_cli/completions/fish.ts";
import { completionModel } from "./_cli/completions/model.ts";
import { renderPowershell } from "./_cli/completions/powershell.ts";
import { renderZsh } from "./_cli/completions/zsh.ts";

const RENDERERS = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
  powershell: renderPowershell,
} as const;

/** Makes the command, which reads the tables of a program's commands. */
export function completionsCommand(program: Program): AnyCommand {
  return defineCommand({
    name: "completions",
    summary: "print a script that completes socktool's commands and flags in a shell",
    arguments: {
      shell: { type: "choice", choices: ["bash", "zsh", "fish", "powershell"], help: "the shell" },
    },
    examples: [
      ['eval "$(socktool completions bash)"', "in this bash; zsh works alike"],
      [
        "mkdir -p ~/.local/share/bash-completion/completions && socktool completions bash > ~/.local/share/bash-completion/completions/socktool",
        "in every new bash",
      ],
      [
        "mkdir -p ~/.zfunc && socktool completions zsh > ~/.zfunc/_socktool",
        "in every new zsh, if $fpath has ~/.zfunc",
      ],
      [
        "mkdir -p ~/.config/fish/completions && socktool completions fish > ~/.config/fish/completions/socktool.fish",
        "in every new fish",
      ],
      [
        "socktool completions powershell | Out-String | Invoke-Expression",
        "in this PowerShell; written to $PROFILE, in every new one",
      ],
    ],
    async run({ args }, { out }) {
      await out.text(RENDERERS[args.shell](await completionModel(program)));
    },
  });
}
