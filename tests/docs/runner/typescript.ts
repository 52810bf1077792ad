import { pathToFileURL } from "node:url";
import { ROOT } from "../../support/programs.ts";
import { Scratch } from "../../support/scratch.ts";
import { runTool } from "../../support/tools.ts";
import type { Block } from "./markdown.ts";

/** Lets a program anywhere import the package by its name, with the checkout's compiler options. */
export const CONFIG = `${ROOT}deno.json`;

/** What the compiler says of programs; "" if they have no type errors. */
export async function typeErrors(blocks: readonly Block[]): Promise<string> {
  using scratch = new Scratch();
  const files = blocks.map(({ page, line, text }) =>
    scratch.write(`${page.replaceAll("/", "_")}_${line}.ts`, text)
  );
  // The compiler starts once for a file that imports all, and once for each that it is given.
  const all = scratch.write(
    "all.ts",
    files.map((file) => `import "${pathToFileURL(file)}";\n`).join(""),
  );
  const args = ["check", "--config", CONFIG, all];
  const { code, err } = await runTool(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
  return code === 0 ? "" : err;
}

/**
 * What a program prints, by the comments behind its calls: `console.log(x); // HELLO`. A call
 * without one may print anything.
 */
export function expectedLogs(program: string): string[] {
  return program.split("\n").flatMap((line) => {
    const [, shown] = /\bconsole\.log\(.*\);\s*\/\/ (.*)$/.exec(line) ?? [];
    if (shown !== undefined) return [shown];
    return /\bconsole\.\w+\(/.test(line) ? ["…"] : [];
  });
}
