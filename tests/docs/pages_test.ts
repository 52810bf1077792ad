/** What the pages show is run: their commands print what is shown, their programs compile and run. */
import { assert, assertEquals } from "@std/assert";
import { groupsOf } from "../../cmd/_cli/help.ts";
import { program } from "../../cmd/program.ts";
import { ROOT } from "../support/programs.ts";
import { skip } from "../support/skip.ts";
import { type Block, parsePage } from "./runner/markdown.ts";
import { runBlocks } from "./runner/run_blocks.ts";
import { typeErrors } from "./runner/typescript.ts";

const PAGES = [...pagesIn("", false), ...pagesIn("docs/", true)];

const parsed = PAGES.map((page) => parsePage(page, Deno.readTextFileSync(`${ROOT}${page}`)));
const FLAG = /--[a-z][\w-]*/g;
const PATH = /(?<![\w/.])((?:cmd|lib|tests|scripts|docs)\/[\w./-]*\w)/g;

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

Deno.test("every task, path, command and flag that the pages name exists", async () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const commands = await Promise.all(program.commands.map(({ load }) => load()));
  const flags = new Set(
    commands.flatMap((command) =>
      groupsOf(command.flags).flatMap(([, rows]) =>
        rows.flatMap(([term]) => term.match(FLAG) ?? [])
      )
    ),
  );
  const scripts = [...Deno.readDirSync(`${ROOT}scripts`)].filter(({ isFile }) => isFile)
    .map(({ name }) => Deno.readTextFileSync(`${ROOT}scripts/${name}`)).join();
  const missing = PAGES.flatMap((page) => {
    const text = Deno.readTextFileSync(`${ROOT}${page}`);
    const prose = text.replace(/^ *(`{3,})[^]*?^ *\1/gm, "");
    const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
    const found = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);
    const called = inline.flatMap((code) => /^socktool ([a-z][\w-]*)/.exec(code)?.[1] ?? []);
    const given = inline.flatMap((code) => /^(?:socktool |-)/.test(code) && code.match(FLAG) || []);
    return [
      ...found(/\bdeno task ([\w:-]+)/g).filter((name) => !Object.hasOwn(tasks, name)),
      ...found(PATH).filter((path) => !exists(path)),
      ...called.filter((name) => !commands.some((command) => command.name === name)),
      ...given.filter((flag) => !flags.has(flag) && !scripts.includes(flag)),
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
