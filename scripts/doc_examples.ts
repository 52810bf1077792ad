/**
 * Runs the examples in the docstrings: `deno task test:doc`. `deno test --doc` does the same, and gives
 * each of them an isolate, which loads what it imports anew: that takes most of its time. Here all are
 * in one. Their types are checked by `deno task check:types`.
 *
 * @module
 */
import { ROOT, toFileUrl, toRelative } from "./pack/paths.ts";

/** An example in a docstring. */
interface Example {
  /** Its module, relative to the checkout. */
  readonly path: string;
  /** Its lines there. */
  readonly lines: string;
  readonly text: string;
}

const DOCSTRING = /\/\*\*.*?\*\//gs;
const FENCED = /^```(?:ts|js|typescript|javascript)\n(.*?)^```/gms;

/** The examples in a module's docstrings. */
export function examplesIn(path: string, module: string): Example[] {
  const examples: Example[] = [];
  for (const { 0: docstring, index: from } of module.matchAll(DOCSTRING)) {
    // Line by line, so that each example's lines are known.
    const plain = docstring.slice(3, -2).split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
    const text = plain.join("\n");
    for (const { 0: fenced, 1: example, index } of text.matchAll(FENCED)) {
      const first = linesOf(module.slice(0, from)) + linesOf(text.slice(0, index));
      const last = first + linesOf(fenced);
      examples.push({ path, lines: `${first + 1}-${last + 1}`, text: example! });
    }
  }
  return examples;
}

/** How many lines end in a text. */
function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

/** A module in which an example is a test, wherever it is. */
export function testOf({ path, lines, text }: Example): string {
  const here = toFileUrl(path);
  const imports: string[] = [];
  const body = text.replace(/^import\s[^;]*;\n/gm, (statement) => {
    imports.push(statement.replace(/"(\.[^"]*)"/, (_, to) => `"${new URL(to, here)}"`));
    return "";
  });
  const name = JSON.stringify(`${path}:${lines}`);
  return `${imports.join("")}Deno.test(${name}, async () => {\n${body}});\n`;
}

function* modulesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* modulesIn(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "socktool-examples-" });
  let code: number;
  try {
    const examples = [`${ROOT}/mod.ts`, ...modulesIn(`${ROOT}/lib`)].sort()
      .flatMap((path) => examplesIn(toRelative(path), Deno.readTextFileSync(path)));
    examples.forEach((example, i) => Deno.writeTextFileSync(`${folder}/${i}.ts`, testOf(example)));
    const imports = examples.map((_, i) => `import "./${i}.ts";\n`);
    Deno.writeTextFileSync(`${folder}/all_test.ts`, imports.join(""));
    const flags = ["-A", "--no-check", "--config", `${ROOT}/deno.json`, ...Deno.args];
    ({ code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", ...flags, `${folder}/all_test.ts`],
      cwd: ROOT,
    }).spawn().status);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(code);
}
