/**
 * What the pages show is run: their commands print what is shown, and so do their programs, whose types
 * `deno task check` checks.
 */
import { assert, assertEquals } from "@std/assert";
import { skip } from "../support/skip.ts";
import { type Block, parsePage } from "./runner/markdown.ts";
import { PAGES } from "./runner/pages.ts";
import { runBlocks } from "./runner/run_blocks.ts";

const parsed = PAGES.map(({ path, text }) => parsePage(path, text));
const run = parsed.flatMap(({ blocks }) => blocks).filter(({ noRun }) => noRun === undefined);

Deno.test("every block of the pages is run, or says why not", () => {
  assert(run.length > 0);
  assertEquals(parsed.flatMap(({ problems }) => problems), []);
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

function byHeading(blocks: readonly Block[]): [Block, ...Block[]][] {
  const groups: [Block, ...Block[]][] = [];
  for (const block of blocks) {
    const last = groups.at(-1);
    if (last?.[0].page === block.page && last[0].heading === block.heading) last.push(block);
    else groups.push([block]);
  }
  return groups;
}
