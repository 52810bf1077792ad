/** Each example prints what stands at its top, ends by itself, and is small. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Program, ROOT } from "../support/programs.ts";

const FOLDER = `${ROOT}docs/examples/`;
const INDEX = Deno.readTextFileSync(`${FOLDER}README.md`);
const NAMES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ts")).sort();

/** Arguments with which an example is quick, and what it then prints instead. */
const QUICK: Readonly<Record<string, { args: string[]; prints: [from: string, to: string] }>> = {
  "upload.ts": { args: ["256"], prints: ["1024 MiB", "256 MiB"] },
};

/** What the comment at the top of an example says that it prints; `undefined` for tests. */
function expectedOf(text: string): string | undefined {
  const [, block] = /\* Prints:\n \*\n([\s\S]*?)\n \*\//.exec(text) ?? [];
  return block?.split("\n").map((line) => line.replace(/^ \* ?/, "") + "\n").join("");
}

Deno.test("there are examples, and the index has each", () => {
  assert(NAMES.length >= 7);
  for (const name of NAMES) assertStringIncludes(INDEX, `(${name})`);
});

for (const name of NAMES) {
  Deno.test(`the example ${name} is small, and does what it says`, async () => {
    const text = Deno.readTextFileSync(FOLDER + name);
    assert(text.trimEnd().split("\n").length < 60);
    const expected = expectedOf(text);
    const { args = [], prints: [from, to] = ["", ""] } = QUICK[name] ?? {};
    const command = expected === undefined ? ["test", "-q"] : ["run"];
    await using program = new Program([...command, "-A", "--no-check", FOLDER + name, ...args]);
    const { code, out, err } = await program.finished();
    assertEquals(code, 0, out + err);
    if (expected === undefined) assertStringIncludes(out, "| 1 passed | 0 failed");
    else assertEquals({ out, err }, { out: expected.replace(from, to), err: "" });
  });
}
