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

/** The command for a program, whose tables it reads. */
export function completionsCommand(program: Program): AnyCommand {
  return defineCommand({
    name: "completions",
    summary: "print the script by which a shell completes socktool's commands and flags",
    arguments: {
      shell: { type: "choice", choices: ["bash", "zsh", "fish", "powershell"], help: "the shell" },
    },
    examples: [
      ["source <(socktool completions bash)", "complete in this bash or, with its name, zsh"],
      [
        "socktool completions bash > ~/.local/share/bash-completion/completions/socktool",
        "in every later bash",
      ],
      [
        "socktool completions zsh > ~/.zfunc/_socktool",
        "in every later zsh, if $fpath has ~/.zfunc",
      ],
      [
        "socktool completions fish > ~/.config/fish/completions/socktool.fish",
        "in every later fish",
      ],
      [
        "socktool completions powershell | Out-String | Invoke-Expression",
        "in this PowerShell; in $PROFILE, in every later one",
      ],
    ],
    async run({ args }, { out }) {
      await out.text(RENDERERS[args.shell](await completionModel(program)));
    },
  });
}
