import { assert, assertEquals } from "@std/assert";
import { renderBash } from "../../../cmd/_cli/completions/bash.ts";
import { completionModel } from "../../../cmd/_cli/completions/model.ts";
import { program } from "../../../cmd/program.ts";
import { isInstalled, runTool } from "../../support/tools.ts";
import { demoModel, folderToComplete } from "./demo_program.ts";

const hasBash = isInstalled("bash", "completions in bash");

/**
 * What bash offers at the end of each line, sorted. The words are those that bash would make of the
 * line: at blanks, and around each `=` and `:`.
 */
async function offered(...commandLines: string[]): Promise<string[][]> {
  using folder = folderToComplete();
  const calls = commandLines.map((line) => {
    const words = line.match(/[=:]|[^\s=:]+|(?<= )$/g) ?? [];
    // With nothing typed behind it, the sign itself is the word to complete.
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _demo
      printf '%s\\n' "\${COMPREPLY[@]}" | sort | tr '\\n' '|'; echo`;
  });
  const script = [
    renderBash(demoModel),
    "COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'",
    ...calls,
  ].join("\n");
  const { out, err } = await runTool("bash", ["--norc", "--noprofile"], {
    stdin: script,
    cwd: folder.path,
    env: { LC_ALL: "C" },
  });
  assertEquals(err, "");
  return out.split("\n").slice(0, -1).map((line) => line.split("|").filter(Boolean));
}

const tests: Record<string, [string, string[]][]> = {
  "commands and the program's flags": [
    ["demo ", ["convert", "count", "help", "serve"]],
    ["demo co", ["convert", "count"]],
    ["demo x", []],
    ["demo -", ["--help", "--version", "-V", "-h"]],
    ["demo help s", ["serve"]],
    ["demo help serve ", []],
  ],
  "a command's flags": [
    ["demo serve --d", ["--data", "--debug"]],
    ["demo serve --s", ["--slow"]],
    ["demo serve -q -", [
      ..."--data --debug --help --no-color --out --quiet --slow --verbose --wait".split(" "),
      ..."-d -h -q -v".split(" "),
    ]],
    ["demo unknown --", ["--help", "--version"]],
  ],
  "values of flags": [
    ["demo serve --slow ", ["block", "drop-new", "drop-old"]],
    ["demo serve --slow=dr", ["drop-new", "drop-old"]],
    ["demo serve --slow=", ["block", "drop-new", "drop-old"]],
    ["demo serve --slow block --wait ", []],
    ["demo serve --wait=", []],
    ["demo serve --quiet=", []],
    ["demo serve --slow block --sl", ["--slow"]],
    ["demo serve --data=notes.txt --slow b", ["block"]],
  ],
  "files and folders": [
    ["demo serve --data ", ["folder", "my file.md", "notes.txt"]],
    ["demo serve -d n", ["notes.txt"]],
    ["demo serve --data=n", ["notes.txt"]],
    ["demo serve --out ", ["folder"]],
    ["demo serve --out=f", ["folder"]],
  ],
  "words": [
    ["demo serve ", []],
    ["demo serve 127.0.0.1:80 ", []],
    ["demo convert ", ["json", "text"]],
    ["demo convert --debug t", ["text"]],
    ["demo convert text n", ["notes.txt"]],
    ["demo convert text a b n", ["notes.txt"]],
    ["demo convert -- ", ["json", "text"]],
    ["demo convert -- --", []],
    ["demo convert text -- --", []],
    ["demo count ", []],
  ],
};

for (const [what, cases] of Object.entries(tests)) {
  Deno.test(`bash completes ${what}`, async () => {
    if (!hasBash) return;
    const got = await offered(...cases.map(([line]) => line));
    assertEquals(got, cases.map(([, expected]) => expected));
  });
}

Deno.test("bash completes lines as they are typed", async () => {
  if (!hasBash) return;
  using folder = folderToComplete();
  // Without a terminal, an interactive bash still reads its lines by readline.
  folder.write(
    "rc",
    `${renderBash(demoModel)}
PS1=
bind 'set bell-style none'
demo() { printf '<%s>' "$@"; echo; }
`,
  );
  const lines = [
    "demo ser\t--da\tmy\t--data=no\t--out fo\tx\n",
    "demo serve --wait n\tx --slow=bl\tend\n",
    "demo con\tj\tn\tn\t-- n\tend\n",
  ];
  const { out } = await runTool("bash", ["--noprofile", "--rcfile", "rc", "-i"], {
    stdin: lines.join(""),
    cwd: folder.path,
    env: { INPUTRC: "/dev/null", TERM: "dumb", HISTFILE: "" },
  });
  assertEquals(out.split("\n").filter((line) => line.startsWith("<")), [
    "<serve><--data><my file.md><--data=notes.txt><--out><folder/x>",
    "<serve><--wait><nx><--slow=block><end>",
    "<convert><json><notes.txt><notes.txt><--><notes.txt><end>",
  ]);
});

Deno.test("bash takes the script of the whole program", async () => {
  if (!hasBash) return;
  const { code, out, err } = await runTool("bash", ["--norc", "--noprofile"], {
    stdin: `set -eu\n${renderBash(await completionModel(program))}
COMP_WORDS=(socktool app-server --tls-) COMP_CWORD=2
_socktool
echo "\${COMPREPLY[@]}"`,
  });
  assertEquals([code, err], [0, ""]);
  assert(out.includes("--tls-cert --tls-key"), out);
});
