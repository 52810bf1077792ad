import { assertEquals } from "@std/assert";
import { renderFish } from "../../../cmd/_cli/completions/fish.ts";
import { completionModel } from "../../../cmd/_cli/completions/model.ts";
import { program } from "../../../cmd/program.ts";
import { isInstalled, runTool } from "../../support/tools.ts";
import { demoModel, folderToComplete } from "./demo_program.ts";

const hasFish = isInstalled("fish", "completions in fish");

/** What fish offers at the end of each line, sorted, without descriptions. */
async function offered(script: string, lines: readonly string[]): Promise<string[][]> {
  using folder = folderToComplete();
  const asked = lines.map((line) => `complete -C '${line}' | cut -f1 | sort | tr '\\n' '|'; echo`);
  const { out, err } = await runTool("fish", ["--no-config"], {
    stdin: [script, ...asked].join("\n"),
    cwd: folder.path,
    env: { LC_ALL: "C", HOME: folder.path },
  });
  assertEquals(err, "");
  return out.split("\n").slice(0, -1).map((line) => line.split("|").filter(Boolean));
}

Deno.test("fish completes commands, flags, values, files and words", async () => {
  if (!hasFish) return;
  const cases: [string, string[]][] = [
    ["demo ", ["convert", "count", "help", "serve"]],
    ["demo --", ["--help", "--version"]],
    ["demo serve --s", ["--slow"]],
    ["demo serve --d", ["--data", "--debug"]],
    ["demo serve --slow ", ["block", "drop-new", "drop-old"]],
    ["demo serve --slow=b", ["--slow=block"]],
    ["demo serve --wait ", []],
    ["demo serve --data ", ["folder/", "my file.md", "notes.txt"]],
    ["demo serve -d n", ["notes.txt"]],
    ["demo serve --out ", ["folder/"]],
    ["demo serve ", []],
    ["demo serve convert ", []],
    ["demo convert ", ["json", "text"]],
    ["demo convert --debug t", ["text"]],
    ["demo convert text n", ["notes.txt"]],
    ["demo convert text a n", ["notes.txt"]],
    ["demo help ", ["convert", "count", "serve", "topics", "units"]],
    ["demo help serve ", []],
  ];
  const got = await offered(renderFish(demoModel), cases.map(([line]) => line));
  assertEquals(got, cases.map(([, expected]) => expected));
});

Deno.test("fish takes the script of the whole program", async () => {
  if (!hasFish) return;
  const script = renderFish(await completionModel(program));
  assertEquals(await offered(script, ["socktool app-server --tls-"]), [
    ["--tls-cert", "--tls-key"],
  ]);
});
