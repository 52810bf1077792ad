import { assertEquals } from "@std/assert";
import { completionModel } from "../../../cmd/_cli/completions/model.ts";
import { renderZsh } from "../../../cmd/_cli/completions/zsh.ts";
import { program } from "../../../cmd/program.ts";
import type { Scratch } from "../../support/scratch.ts";
import { isInstalled, runTool } from "../../support/tools.ts";
import { demoModel, folderToComplete } from "./demo_program.ts";

const hasZsh = isInstalled("zsh", "completions in zsh");

/** Puts in every match. */
const ALL = "\x01";
/** Writes the line down and begins another. */
const NOTE = "\x14";

const SETUP = `
PS1='REA''DY> '
autoload -U compinit
compinit -u -D
source ./script
all() { _main_complete; compstate[insert]=all; compstate[list]= }
zle -C all complete-word all
bindkey '^A' all
note() { print -r -- "$BUFFER" >> ./written; BUFFER= }
zle -N note
bindkey '^T' note
`;

/** The driver holds an interactive zsh on a terminal of its own. */
const DRIVER = `
zmodload zsh/zpty
zpty shell 'zsh -fi'
zpty -w shell 'source ./setup'
zpty -r shell seen '*READY>*'
zpty -w -n shell "$(< ./typed)"
zpty -w shell 'exit'
while zpty -r shell seen; do :; done
`;

/** What stands in the line after each series of keys. */
async function typed(folder: Scratch, script: string, keys: readonly string[]): Promise<string[]> {
  folder.write("script", script);
  folder.write("setup", SETUP);
  folder.write("typed", keys.map((each) => each + NOTE).join(""));
  const { out, err } = await runTool("zsh", ["-f", "-c", DRIVER], {
    cwd: folder.path,
    env: { TERM: "dumb", HOME: folder.path },
  });
  assertEquals([out, err], ["", ""]);
  return Deno.readTextFileSync(folder.at("written")).trimEnd().split("\n")
    .map((line) => line.replace(/ +/g, " ").trim());
}

Deno.test("zsh completes commands, flags, values, files and words", async () => {
  if (!hasZsh) return;
  using folder = folderToComplete();
  const cases: [string, string][] = [
    ["demo ser\t--da\tno\t", "demo serve --data=notes.txt"],
    ["demo serve -d no\t", "demo serve -d notes.txt"],
    [`demo ${ALL}`, "demo convert count help serve"],
    [`demo serve --slow ${ALL}`, "demo serve --slow block drop-new drop-old"],
    [`demo serve --slow=dr${ALL}`, "demo serve --slow=drop-new --slow=drop-old"],
    [`demo serve --out ${ALL}`, "demo serve --out folder/"],
    [`demo serve --data my\t`, "demo serve --data my\\ file.md"],
    [`demo serve --wait ${ALL}`, "demo serve --wait"],
    [`demo serve x${ALL}`, "demo serve x"],
    [`demo convert ${ALL}`, "demo convert json text"],
    [`demo convert text my${ALL}`, "demo convert text my\\ file.md"],
    [`demo help ${ALL}`, "demo help convert count serve topics units"],
    // What contradicts a flag already given is not offered any more, nor is that flag again.
    ["demo serve --slow block --sl\t", "demo serve --slow block --sl"],
    ["demo serve --quiet --verb\t", "demo serve --quiet --verb"],
    ["demo serve --verbose --qui\t", "demo serve --verbose --qui"],
    ["demo serve --data notes.txt --dat\t", "demo serve --data notes.txt --data="],
  ];
  const keys = cases.map(([pressed]) => pressed);
  const expected = cases.map(([, line]) => line);
  assertEquals(await typed(folder, renderZsh(demoModel), keys), expected);
});

Deno.test("zsh takes the script of the whole program", async () => {
  if (!hasZsh) return;
  using folder = folderToComplete();
  const script = renderZsh(await completionModel(program));
  assertEquals(await typed(folder, script, ["socktool app-ser\t--tls-c\t"]), [
    "socktool app-server --tls-cert=",
  ]);
});
