/** What the pages show is run: their commands print what is shown, their programs compile and run. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../support/programs.ts";
import { skip } from "../support/skip.ts";
import { type Block, parsePage } from "./runner/markdown.ts";
import { runBlocks } from "./runner/run_blocks.ts";
import { typeErrors } from "./runner/typescript.ts";

const PAGES = [...pagesIn("", false), ...pagesIn("docs/", true)];

const parsed = PAGES.map((page) => parsePage(page, Deno.readTextFileSync(`${ROOT}${page}`)));
const run = parsed.flatMap(({ blocks }) => blocks).filter(({ noRun }) => noRun === undefined);

Deno.test("every block of the pages is run, or says why not", () => {
  assert(run.length > 0);
  assertEquals(parsed.flatMap(({ problems }) => problems), []);
});

Deno.test("the pages' TypeScript has no type errors", async () => {
  const programs = run.filter(({ language }) => language === "ts");
  assert(programs.length > 0);
  assertEquals(await typeErrors(programs), "");
});

Deno.test("every task and every path that the pages name exists", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const missing = PAGES.flatMap((page) => {
    const text = Deno.readTextFileSync(`${ROOT}${page}`);
    const names = [...text.matchAll(/\bdeno task ([\w:-]+)/g)].map(([, name]) => name!);
    const paths = [...text.matchAll(/(?<![\w/.])(?:cmd|lib|tests|scripts|docs)\/[\w./-]*\w/g)];
    return [
      ...names.filter((name) => !Object.hasOwn(tasks, name)),
      ...paths.map(([path]) => path).filter((path) => !exists(path)),
    ].map((name) => `${page}: ${name}`);
  });
  assertEquals(missing, []);
});

if (Deno.build.os === "windows") skip("on Windows: the pages' commands");
for (const blocks of byHeading(run)) {
  const [{ page, heading }] = blocks;
  Deno.test({
    name: `${page}, "${heading}": what it shows is true`,
    ignore: Deno.build.os === "windows",
    fn: () => runBlocks(blocks),
  });
}

function* pagesIn(folder: string, deep: boolean): Generator<string> {
  const entries = [...Deno.readDirSync(`${ROOT}${folder}`)].map((entry) => entry)
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory && deep) yield* pagesIn(`${folder}${name}/`, deep);
    else if (name.endsWith(".md")) yield folder + name;
  }
}

function byHeading(blocks: readonly Block[]): [Block, ...Block[]][] {
  const groups: [Block, ...Block[]][] = [];
  for (const block of blocks) {
    const last = groups.at(-1);
    if (last?.[0].page === block.page && last[0].heading === block.heading) last.push(block);
    else groups.push([block]);
  }
  return groups;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${ROOT}${path}`);
    return true;
  } catch {
    return false;
  }
}
