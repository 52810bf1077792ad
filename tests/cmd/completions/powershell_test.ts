import { assert, assertEquals } from "@std/assert";
import { completionModel } from "../../../cmd/_cli/completions/model.ts";
import { renderPowershell } from "../../../cmd/_cli/completions/powershell.ts";
import { program } from "../../../cmd/program.ts";
import { isInstalled, runTool } from "../../support/tools.ts";
import { demoModel } from "./demo_program.ts";

const hasPowershell = isInstalled("pwsh", "completions in PowerShell");

Deno.test("the script for PowerShell has a row for every flag, texts quoted", async () => {
  const model = await completionModel(program);
  const script = renderPowershell(model);
  const rows = [...script.matchAll(/^ +, @\('(--[\w-]+)', '/gm)].map(([, long]) => long);
  const flags = [...model.flags, ...model.commands.flatMap((command) => command.flags)];
  assertEquals(rows, flags.map(({ long }) => long));
  assert(renderPowershell(demoModel).includes("'what''s [served]: a\\b'"));
});

Deno.test("the script for PowerShell closes every bracket and quote that it opens", () => {
  const open: string[] = [];
  const closers: Record<string, string> = { ")": "(", "}": "{", "]": "[" };
  const code = renderPowershell(demoModel).replace(/'(?:[^']|'')*'/g, "''").replace(/#.*/g, "");
  assert(!/'(?!')/.test(code.replaceAll("''", "")), "a quote is left open");
  for (const char of code) {
    if ("({[".includes(char)) open.push(char);
    else if (char in closers) assertEquals(open.pop(), closers[char]);
  }
  assertEquals(open, []);
});

Deno.test("PowerShell completes commands, flags, values and words", async () => {
  if (!hasPowershell) return;
  const cases: [string, string][] = [
    ["demo co", "convert count"],
    ["demo serve --d", "--data --debug"],
    ["demo serve --slow ", "drop-new drop-old block"],
    ["demo serve --slow=b", "--slow=block"],
    ["demo convert ", "json text"],
    ["demo serve --wait ", ""],
  ];
  const asked = cases.map(([line]) =>
    `((TabExpansion2 '${line}' ${line.length}).CompletionMatches | ForEach-Object CompletionText) ` +
    "-join ' ' | ForEach-Object Trim"
  );
  const { out, err } = await runTool("pwsh", ["-NoProfile", "-NonInteractive", "-Command", "-"], {
    stdin: `${renderPowershell(demoModel)}\n${asked.join("\n")}\n`,
  });
  assertEquals(err, "");
  assertEquals(out.replaceAll("\r", "").split("\n").slice(0, -1), cases.map(([, all]) => all));
});
