import { assert, assertEquals } from "@std/assert";
import { examplesFor } from "../../../cmd/_cli/example_line.ts";
import { program } from "../../../cmd/program.ts";

Deno.test("examples on Windows have double quotes, in which cmd redirects nothing", async () => {
  assertEquals(
    examplesFor([
      ["socktool load :7 --fail-if 'p99>5ms' --fail-if 'errors>1%'", "a"],
      [`socktool load :7 --request '{"action":"search"}'`, "b"],
      ["socktool load :7 --message $'PING\\r\\n' --expect PONG", "c"],
      ["socktool pub who '' --request", "d"],
    ], "windows"),
    [
      ['socktool load :7 --fail-if "p99>5ms" --fail-if "errors>1%"', "a"],
      ['socktool load :7 --request "{\\"action\\":\\"search\\"}"', "b"],
      ['socktool pub who "" --request', "d"],
    ],
  );
  const commands = await Promise.all(program.commands.map(({ load }) => load()));
  for (const { name, examples } of [program, ...commands]) {
    assertEquals(examplesFor(examples, "linux"), examples);
    for (const [line] of examplesFor(examples, "windows")) assert(!line.includes("'"), name);
  }
});
