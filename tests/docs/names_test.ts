/** The files and folders that the pages name, in prose and in pictures, exist. */
import { assert, assertEquals } from "@std/assert";
import { groupsOf } from "../../cmd/_cli/help.ts";
import { program } from "../../cmd/program.ts";
import { ROOT } from "../support/programs.ts";
import { parsePage } from "./runner/markdown.ts";
import { PAGES } from "./runner/pages.ts";

const FLAG = /--[a-z][\w-]*/g;
const PATH = /(?<![\w/.])((?:cmd|lib|tests|scripts|docs)\/[\w./-]*\w)/g;

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
  const missing = PAGES.flatMap(({ path: page, text }) => {
    const prose = text.replace(/^ *(`{3,})[^]*?^ *\1/gm, "");
    const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
    const found = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);
    const called = inline.flatMap((code) => /^socktool ([a-z][\w-]*)/.exec(code)?.[1] ?? []);
    const given = inline.flatMap((code) => /^(?:socktool |-)/.test(code) && code.match(FLAG) || []);
    return [
      ...found(/\bdeno task ([\w:-]+)/g).filter((name) => !Object.hasOwn(tasks, name)),
      ...found(PATH).filter((path) => !exists(path)),
      ...called.filter((name) => name !== "help" && !commands.some((each) => each.name === name)),
      ...given.filter((flag) => !flags.has(flag) && !scripts.includes(flag)),
    ].map((name) => `${page}: ${name}`);
  });
  assertEquals(missing, []);
});

Deno.test("the architecture's tree of folders has the rooms that there are, and no others", () => {
  const { text } = PAGES.find(({ path }) => path === "docs/architecture.md")!;
  const tree = parsePage("", text).blocks.find((block) => /^lib\/$/m.test(block.text))!;
  const named = pathsOf(tree.text);
  assert(named.length > 20);
  assertEquals(named.filter((path) => !exists(path)), []);
  const rooms = [...foldersIn("lib/"), ...foldersIn("lib/pubsub/")];
  assertEquals(rooms.filter((room) => !named.includes(room)), []);
});

Deno.test("what the architecture calls by name is in the code", () => {
  const { text } = PAGES.find(({ path }) => path === "docs/architecture.md")!;
  const named = [...text.matchAll(/\*\*\s*`(\w+)(?:\.(\w+))?`\*\*/g)].map(([, ...names]) => names);
  assert(named.length > 100);
  const code = ["lib/", "cmd/"].flatMap((folder) => [...textsIn(folder)]).join("\n");
  const declared = new Set(code.match(/(?<=\b(?:class|interface|type|function\*?|const) )\w+/g));
  const called = new Set(code.match(/\b\w+(?=\()/g));
  const missing = named.filter(([name, member]) =>
    !declared.has(name!) || member !== undefined && !called.has(member)
  );
  assertEquals(missing, []);
});

Deno.test("pathsOf() reads a tree of folders", () => {
  const tree =
    "a.json b.ts   two files\nc/       text\n  d/ _e/   d/x\n    f/  f\n  g/  h/  more\ni/";
  const expected = ["a.json", "b.ts", "c/", "c/d/", "c/_e/", "c/_e/f/", "c/g/", "c/h/", "i/"];
  assertEquals(pathsOf(tree), expected);
});

/**
 * The paths of a tree: names at the beginning of a line, up to three blanks, below the last folder
 * of the nearest line above that is indented less.
 */
function pathsOf(tree: string): string[] {
  const above: { indent: number; folder: string }[] = [];
  return tree.split("\n").flatMap((line) => {
    const indent = line.length - line.trimStart().length;
    while (above.length > 0 && above.at(-1)!.indent >= indent) above.pop();
    const [names = ""] = /^[\w.-]+\/?(?: {1,2}[\w.-]+(?:\/|\.\w+)(?= |$))*/.exec(line.trim()) ?? [];
    const paths = names.split(/ +/).map((name) => (above.at(-1)?.folder ?? "") + name);
    above.push({ indent, folder: paths.at(-1)! });
    return paths;
  });
}

/** The texts of all modules in a folder. */
function* textsIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    if (isDirectory) yield* textsIn(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield Deno.readTextFileSync(`${ROOT}${folder}${name}`);
  }
}

function foldersIn(folder: string): string[] {
  return [...Deno.readDirSync(`${ROOT}${folder}`)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => `${folder}${name}/`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${ROOT}${path}`);
    return true;
  } catch {
    return false;
  }
}
