/** The runner of the pages' blocks fails where a page is not true. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { until } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";
import { readConsole } from "./runner/console.ts";
import { isExpected } from "./runner/expected_output.ts";
import { parsePage } from "./runner/markdown.ts";
import { runBlocks } from "./runner/run_blocks.ts";
import { expectedLogs } from "./runner/typescript.ts";

const ignore = Deno.build.os === "windows";

function fenced(language: string, ...lines: readonly string[]): string {
  return ["```" + language, ...lines, "```"].join("\n");
}

/** Runs a page. What is to fail because nothing happens fails soon. */
async function run(markdown: string, timeoutMs?: number): Promise<void> {
  const { blocks, problems } = parsePage("page.md", markdown);
  assertEquals(problems, []);
  await runBlocks(blocks, timeoutMs === undefined ? {} : { timeoutMs });
}

/** For what would wait as long as it may. */
const SOON_MS = 300;

Deno.test({
  name: "runBlocks() runs what is true",
  ignore,
  async fn(t) {
    const pages: Record<string, string> = {
      "output of stdout and stderr": fenced("console", "$ echo a; echo b >&2", "a", "b"),
      "a variable and a folder that last": fenced(
        "console",
        "$ cd docs; name=x",
        "$ basename $PWD; echo $name",
        "docs",
        "x",
      ),
      "a failure that is shown": fenced("console", "$ sh -c 'exit 3'", "$ echo $?", "3"),
      "an empty stdin": fenced("console", "$ cat", "$ echo done", "done"),
      "a command of two lines": fenced("console", "$ echo a \\", ">   b", "a b"),
      "a file written by a here-document": fenced(
        "console",
        "$ cat > file <<END",
        "> one",
        "> END",
        "$ cat file",
        "one",
      ),
      "a script": fenced("sh", "cd docs", "test -f protocol.md"),
      "output without an end of line": fenced("console", "$ printf a", "a", "$ printf b", "b"),
      "lines in the background, in any order": fenced(
        "console",
        "$ (until [ -e go ]; do sleep 0.01; done; echo late) &",
        "$ touch go; echo soon",
        "late",
        "soon",
      ),
      "a program of the checkout": fenced("console", "$ deno run -A cmd/socktool.ts man", "…"),
      "a program in TypeScript": fenced("ts", "console.log(1 + 1); // 2"),
      "JSON, and a picture": `${fenced("json", "{}")}\n\n${fenced("text", "a → b")}`,
      "a server in a terminal of its own": [
        "<!-- keeps running -->",
        fenced("console", "$ socktool echo-server", "listening on 127.0.0.1:5634"),
        fenced("console", "$ socktool echo-client 127.0.0.1 5634 hi", "hi"),
        fenced("console", "$ socktool echo-client ho", "ho"),
      ].join("\n\n"),
      "a silent server in the background": fenced(
        "console",
        "$ socktool multiconn-server :7777 -q &",
        "$ socktool echo-client :7777 hi",
        "hi",
      ),
    };
    for (const [name, page] of Object.entries(pages)) await t.step(name, () => run(page));
  },
});

Deno.test({
  name: "runBlocks() fails for what is not true",
  ignore,
  async fn(t) {
    const keepsRunning = "<!-- keeps running -->\n\n";
    const pages: Record<string, readonly [page: string, problem: string, timeoutMs?: number]> = {
      "another output": [fenced("console", "$ echo a", "b"), "expected:\nb\nprinted:\n$ echo a\na"],
      "a line too few": [fenced("console", "$ echo a; echo b", "a"), "expected:"],
      "a line too many": [fenced("console", "$ echo a", "a", "b"), "expected:"],
      "output where none is shown": [fenced("console", "$ echo a"), "expected:"],
      "output of another order": [fenced("console", "$ echo a; echo b", "b", "a"), "expected:"],
      "a command that fails": [fenced("console", "$ sh -c 'echo a; exit 3'", "a"), "exit code 3"],
      "the failure of the first command": [
        fenced("console", "$ sh -c 'exit 4'", "$ echo a", "a"),
        "exit code 4",
      ],
      "another exit code": [fenced("console", "$ sh -c 'exit 4'", "$ echo $?", "3"), "expected:"],
      "a command that does not exist": [fenced("console", "$ sockettool"), "exit code 127"],
      "a shell that exits": [fenced("console", "$ exit 0", "$ echo a", "a"), "exit code 1"],
      "a script that fails in the middle": [fenced("sh", "false", "true"), "exit code 1"],
      "an unknown flag": [fenced("console", "$ socktool man --colour", "…"), "exit code 2"],
      "a command that does not end": [fenced("console", "$ sleep 600"), "it does not end", SOON_MS],
      "a line that never comes": [fenced("console", "$ sleep 600 &", "a"), "expected:", SOON_MS],
      "a server that does not listen": [
        fenced("console", "$ socktool broker unix:/nowhere/at/all -q 2> /dev/null &"),
        "it does not listen",
        SOON_MS,
      ],
      "a server that ends": [
        keepsRunning + fenced("console", "$ socktool echo-server unix:/nowhere/at/all", "…"),
        "it ended (exit code 1)",
      ],
      "another version of Deno": [fenced("sh", "npx -y deno@1.0.0 run -A x.ts"), "exit code 1"],
      "a program that prints something else": [fenced("ts", "console.log(1); // 2"), "expected:"],
      "a program that throws": [fenced("ts", "throw new Error();"), "exit code 1"],
      "broken JSON": [fenced("json", "{a: 1}"), "(json): "],
      "output before a command": [fenced("console", "a", "$ echo a"), "before the first command"],
    };
    for (const [name, [page, problem, timeoutMs]] of Object.entries(pages)) {
      await t.step(name, async () => {
        const failure = async (ms?: number) =>
          (await assertRejects(() => run(page, ms), Error)).message;
        let message = await failure(timeoutMs);
        // On a busy machine the shell itself may not be ready so soon.
        if (timeoutMs !== undefined && !message.includes(problem)) {
          message = await failure(20 * timeoutMs);
        }
        assertStringIncludes(message, problem);
        assertStringIncludes(message, "page.md:");
      });
    }
  },
});

Deno.test({
  name: "runBlocks() runs the same ports twice at one time, and where they are taken",
  ignore,
  async fn() {
    using _taken = tryListen(5_635);
    const page = fenced(
      "console",
      "$ socktool broker &",
      "listening on 127.0.0.1:5635",
      "$ socktool sub a -v &",
      "subscribed to a",
      "$ socktool pub a b --server localhost:5635 --confirm",
      "a\tb",
      "1 receiver",
    );
    await Promise.all([run(page), run(page)]);
  },
});

Deno.test({
  name: "runBlocks() ends all that it started, where it fails, too",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const pidOf = (name: string) => `sh -c 'echo $$ > ${scratch.at(name)}; exec sleep 600'`;
    const quiet = "> /dev/null 2>&1";
    const [one, two] = [scratch.at("one"), scratch.at("two")];
    const wait = `until [ -s ${one} ] && [ -s ${two} ]; do sleep 0.01; done`;
    const page = (end: string) =>
      fenced("console", `$ ${pidOf("one")} &`, `$ ${pidOf("two")} ${quiet} &`, `$ ${wait}; ${end}`);
    await run(page("true"));
    const first = ["one", "two"].map((name) => Deno.readTextFileSync(scratch.at(name)).trim());
    for (const name of ["one", "two"]) Deno.removeSync(scratch.at(name));
    await assertRejects(() => run(page("false")), Error, "exit code 1");
    const second = ["one", "two"].map((name) => Deno.readTextFileSync(scratch.at(name)).trim());
    for (const pid of [...first, ...second]) await until(() => hasEnded(pid), `${pid} has ended`);
  },
});

Deno.test("parsePage() tells of what is not run without a reason", () => {
  const pages: Record<string, string> = {
    "no language": fenced("", "ls"),
    "no block is run as python": fenced("python", "x"),
    "norun needs a reason": `<!-- norun -->\n\n${fenced("sh", "ls")}`,
    "norun needs a reason ": `<!-- norun: -->\n${fenced("sh", "ls")}`,
    '"norun" stands above no block': `<!-- norun: gone -->\n\ntext\n\n${fenced("sh", "ls")}`,
    '"keeps running" stands above no block': "text\n<!-- keeps running -->",
    "does not end": "```sh\nls",
  };
  for (const [problem, page] of Object.entries(pages)) {
    const { problems } = parsePage("page.md", page);
    assertEquals(problems.length, 1, `${page}: ${problems}`);
    assertStringIncludes(problems[0]!, problem.trim());
  }
});

Deno.test("parsePage() reads blocks, their headings and what is said above them", () => {
  const { blocks, problems } = parsePage(
    "page.md",
    [
      "# One",
      "```sh",
      "# no heading",
      "```",
      "## Two",
      "- item",
      "",
      "  <!-- norun: takes",
      "  an hour -->",
      "",
      "  ~~~~python",
      "  a",
      "    ```",
      "  ~~~~",
      "<!-- keeps running -->",
      "<!-- times vary -->",
      "```console",
      "$ a",
      "```",
    ].join("\n"),
  );
  assertEquals(problems, []);
  const rows = blocks.map(({ page: _, ...rest }) => Object.values(rest));
  assertEquals(rows, [
    [2, "One", "sh", "# no heading", undefined, false, false],
    [11, "Two", "python", "a\n  ```", "takes   an hour", false, false],
    [17, "Two", "console", "$ a", undefined, true, true],
  ]);
});

Deno.test("readConsole() tells commands and output apart", () => {
  assertEquals(readConsole("$ a \\\n>  b\n> c\n\n$ d"), [
    { command: "a \\\n b", expected: ["> c", ""] },
    { command: "d", expected: [] },
  ]);
});

const word = fc.stringMatching(/^[a-c. ]{0,4}$/);
const lines = fc.array(word, { maxLength: 6 });

Deno.test("isExpected(): lines are as they are, in their order where it counts", () => {
  fc.assert(fc.property(lines, lines, fc.boolean(), (one, other, anyOrder) => {
    const level = (all: readonly string[]) => {
      const trimmed = all.map((line) => line.trimEnd());
      return (anyOrder ? trimmed.sort() : trimmed).join("\n") + trimmed.length;
    };
    return isExpected(one, one, { anyOrder }) &&
      isExpected(one, other, { anyOrder }) === (level(one) === level(other));
  }));
});

Deno.test("isExpected(): … is any text in a line, or any lines", () => {
  fc.assert(fc.property(lines, lines, lines, fc.boolean(), (before, some, after, anyOrder) => {
    const all = [...before, ...some, ...after];
    const holes = all.map((line) => line.slice(0, 1) + "…" + line.slice(2));
    return isExpected([...before, "…", ...after], all, { anyOrder }) &&
      !isExpected([...before, "…", "x", ...after], all, { anyOrder }) &&
      isExpected(holes.map((line) => line.trim() === "…" ? "" + "……" : line), all, { anyOrder });
  }));
  assert(!isExpected(["a…c"], ["abd"]));
  assert(isExpected(["a…", "ab"], ["ab", "ac"], { anyOrder: true }), "each finds its own");
});

Deno.test("isExpected(): times and rates are any where that is said", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["indexed in 25.1 ms: 2 added", "indexed in 1.2 s: 2 added", true],
    ["indexed in 25.1 ms: 2 added", "indexed in 1.2 s: 3 added", false],
    ["10k messages in 1.01 s: 9929 messages/s", "10k messages in 2 s: 9 messages/s", true],
    ["10k messages in 1.01 s", "20k messages in 1.01 s", false],
    ["latency   22 µs    1 ms", "latency  735 µs  10 ms", true],
    ["257 KiB/s", "1 MiB/s", true],
    ["257 KiB", "258 KiB", false],
  ];
  for (const [expected, printed, fits] of cases) {
    assertEquals(isExpected([expected], [printed], { timesVary: true }), fits, expected);
    assert(!isExpected([expected], [printed]), expected);
  }
});

Deno.test("expectedLogs() reads a program", () => {
  const program = ['console.log("a"); // a', "if (1) console.log(2);", "// console"].join("\n");
  assertEquals(expectedLogs(program), ["a", "…"]);
});

function tryListen(port: number): Disposable | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch {
    // Somebody else has it, which serves as well.
    return undefined;
  }
}

/** A process that nobody has asked about yet counts as ended. */
async function hasEnded(pid: string): Promise<boolean> {
  const { out } = await runTool("ps", ["-o", "stat=", "-p", pid]);
  return out.trim() === "" || out.trim().startsWith("Z");
}
