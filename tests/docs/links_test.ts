/** Each link of the pages leads somewhere: to a file that is there, and to a heading in it. */
import { assertEquals } from "@std/assert";
import { PAGES } from "./runner/pages.ts";
import { ROOT } from "../support/programs.ts";

/** A link as a page writes it. */
interface Link {
  readonly target: string;
  readonly line: number;
}

/** The links outside of code: `[text](target)`, and `[text]: target`. */
function linksOf(markdown: string): Link[] {
  // Code keeps its lines, so that their numbers stay right.
  const text = markdown
    .replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ""))
    .replace(/`[^`\n]*`/g, "");
  const found = text.matchAll(/!?\]\(([^()\s]+)(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/gm);
  return [...found].map(({ index, 1: inline, 2: reference }) => ({
    target: (inline ?? reference)!,
    line: text.slice(0, index).split("\n").length,
  }));
}

/** What GitHub makes of the headings of a page, for `#…`. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const text = markdown.replace(/^```[\s\S]*?^```/gm, "");
  for (const [, heading] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading!.toLowerCase().replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(
      " ",
      "-",
    );
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** What is wrong with a link; `undefined` if nothing is. */
function problemOf(page: string, text: string, { target }: Link): string | undefined {
  if (/^[a-z]+:/i.test(target)) {
    return URL.canParse(target) && /^(https|mailto):/.test(target) ? undefined : "not https";
  }
  const [path, anchor] = target.split("#") as [string, string?];
  const file = path === "" ? page : new URL(path, `file:///${page}`).pathname.slice(1);
  let content = text;
  if (path !== "") {
    try {
      const { isFile } = Deno.statSync(`${ROOT}${decodeURI(file)}`);
      content = isFile && anchor !== undefined ? Deno.readTextFileSync(`${ROOT}${file}`) : "";
    } catch {
      return "there is no such file";
    }
  }
  if (anchor === undefined || anchorsOf(content).has(anchor)) return undefined;
  return "there is no such heading";
}

Deno.test("every link of the pages leads somewhere", () => {
  const problems = PAGES.flatMap(({ path, text }) =>
    linksOf(text).flatMap((link) => {
      const problem = problemOf(path, text, link);
      return problem === undefined ? [] : [`${path}:${link.line}: ${link.target}: ${problem}`];
    })
  );
  assertEquals(problems, []);
});

Deno.test("a link that leads nowhere is found", () => {
  const page = [
    "# The title, of `code`",
    "## Twice",
    "## Twice",
    "[a](#the-title-of-code) [b](#twice-1) ![c](README.md) [d](docs/#x) [e](https://x.y/)",
    "[f](#twice-2) [g](no_such_file.md) [h](http://x.y) `[i](in_code.md)`",
    "```",
    "[j](in_code.md)",
    "```",
    "[k]: docs/protocol.md#no-such-heading",
  ].join("\n");
  const problems = linksOf(page).map((link) =>
    [link.line, link.target, problemOf("PAGE.md", page, link)] as const
  ).filter(([, , problem]) => problem !== undefined);
  assertEquals(problems, [
    [4, "docs/#x", "there is no such heading"],
    [5, "#twice-2", "there is no such heading"],
    [5, "no_such_file.md", "there is no such file"],
    [5, "http://x.y", "not https"],
    [9, "docs/protocol.md#no-such-heading", "there is no such heading"],
  ]);
});
