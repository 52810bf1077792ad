import { assert, assertEquals } from "@std/assert";
import { completionModel } from "../../../cmd/_cli/completions/model.ts";
import { completionsCommand } from "../../../cmd/completions.ts";
import { renderProgramHelp, runMulti } from "../../../cmd/_cli/multi.ts";
import { renderHelp } from "../../../cmd/_cli/help.ts";
import { program } from "../../../cmd/program.ts";
import { FakeHost } from "../_cli/fake_host.ts";
import { demoModel } from "./demo_program.ts";

Deno.test("completionModel() has every command and flag that the help shows, and no other", async () => {
  const model = await completionModel(program);
  const shown = new Map(model.commands.map((command) => [command.name, command]));
  for (const entry of program.commands) {
    assert(renderProgramHelp(program).includes(`\n  ${entry.name} `), entry.name);
    const help = renderHelp(await entry.load(), { columns: 500 });
    const inHelp = [...help.matchAll(/^ {2}(?:(-\w), | {4})(--[\w-]+)/gm)]
      .map(([, short, long]) => [short, long]);
    const flags = shown.get(entry.name)!.flags.map(({ short, long }) => [short, long]);
    // The help has them by heading.
    assertEquals(flags.sort(), inHelp.sort(), entry.name);
  }
  assertEquals(shown.size, program.commands.length + 1);
});

Deno.test("completionModel() tells what can follow a flag", () => {
  const serve = demoModel.commands[0]!;
  const values = Object.fromEntries(serve.flags.map(({ long, value }) => [long, value?.kind]));
  assertEquals(values, {
    "--data": "paths",
    "--out": "folders",
    "--slow": "words",
    "--wait": "free",
    "--quiet": undefined,
    "--verbose": undefined,
    "--no-color": undefined,
    "--debug": undefined,
    "--help": undefined,
  });
});

Deno.test("completionModel() tells what can stand in a word's place", () => {
  const [serve, convert, , help] = demoModel.commands;
  assertEquals([serve!.words, serve!.rest?.candidates.kind], [[], "free"]);
  assertEquals(convert!.words.map(({ candidates }) => candidates.kind), ["words"]);
  assertEquals(convert!.rest?.candidates.kind, "paths");
  assertEquals(help!.words[0]!.candidates, {
    kind: "words",
    words: ["serve", "convert", "count", "topics", "units"],
  });
});

Deno.test("completions prints a script for each shell and refuses others", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const host = new FakeHost(["completions", shell]);
    assertEquals(await runMulti(program, host), 0);
    assert(host.outText.startsWith("#") && host.outText.includes("app-server"), shell);
  }
  const host = new FakeHost(["completions", "bsh"]);
  assertEquals(await runMulti(program, host), 2);
  assert(host.errText.includes("did you mean bash?"), host.errText);
});

Deno.test("the program's table repeats the summaries of its commands", async () => {
  for (const entry of program.commands) {
    const command = await entry.load();
    assertEquals([command.name, command.summary], [entry.name, entry.summary]);
  }
  assertEquals(completionsCommand(program).name, "completions");
});
