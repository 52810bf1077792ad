/** The page of each command says what its table says. */
import { assertEquals } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { commandPages } from "../../scripts/pack/command_pages.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";

Deno.test("docs/commands has the page of each command as `deno task command-pages` makes it", async () => {
  using scratch = new Scratch();
  const pages = await commandPages(program);
  Deno.mkdirSync(scratch.at("docs/commands"), { recursive: true });
  for (const { path, text } of pages) scratch.write(path, text);
  const format = ["fmt", "--quiet", "--config", `${ROOT}deno.json`, scratch.path];
  const { code, err } = await runTool(Deno.execPath(), format);
  assertEquals(code, 0, err);
  const there = [...Deno.readDirSync(`${ROOT}docs/commands`)]
    .map(({ name }) => `docs/commands/${name}`);
  assertEquals(there.sort(), pages.map(({ path }) => path).sort());
  for (const { path } of pages) {
    const made = Deno.readTextFileSync(scratch.at(path));
    assertEquals(Deno.readTextFileSync(`${ROOT}${path}`), made, `run deno task command-pages`);
  }
});
