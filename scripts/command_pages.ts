/**
 * Writes the page of each command: `deno task command-pages`.
 *
 * @module
 */
import { program } from "../cmd/program.ts";
import { commandPages } from "./pack/command_pages.ts";
import { ROOT } from "./pack/paths.ts";
import { runScript, say } from "./pack/script.ts";

if (import.meta.main) {
  await runScript({
    task: "command-pages",
    about: "Writes the page of each command in docs/commands/ from its table.",
    flags: {},
    async run() {
      const pages = await commandPages(program);
      await Deno.mkdir(`${ROOT}/docs/commands`, { recursive: true });
      for (const { path, text } of pages) await Deno.writeTextFile(`${ROOT}/${path}`, text);
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["fmt", "--quiet", "docs/commands"],
        cwd: ROOT,
      }).output();
      if (!success) throw new Error("deno fmt failed on docs/commands");
      say(`docs/commands  ${pages.length} pages`);
    },
  });
}
