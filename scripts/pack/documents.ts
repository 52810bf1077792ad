/**
 * What goes with the program when it is installed: the manual page, and what shells complete.
 *
 * @module
 */
import { renderBash } from "../../cmd/_cli/completions/bash.ts";
import { renderFish } from "../../cmd/_cli/completions/fish.ts";
import { completionModel } from "../../cmd/_cli/completions/model.ts";
import { renderZsh } from "../../cmd/_cli/completions/zsh.ts";
import { renderProgramPage } from "../../cmd/_cli/man/page.ts";
import { program } from "../../cmd/program.ts";

/** The manual page of the program and all its commands. */
export async function manualPage(): Promise<Uint8Array<ArrayBuffer>> {
  const commands = await Promise.all(program.commands.map(({ load }) => load()));
  return new TextEncoder().encode(renderProgramPage({ program, commands }));
}

/** The completion scripts, by the shell. */
export async function completions(): Promise<Record<"bash" | "zsh" | "fish", Uint8Array>> {
  const model = await completionModel(program);
  const bytes = (text: string) => new TextEncoder().encode(text);
  return {
    bash: bytes(renderBash(model)),
    zsh: bytes(renderZsh(model)),
    fish: bytes(renderFish(model)),
  };
}
