/** The tasks of deno.json. */
import { assert } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/programs.ts";

Deno.test("what the tasks name is there: a test file that was moved is still begun first, or alone", () => {
  const named = Object.values(config.tasks)
    .flatMap(({ command }) => command.match(/\b(tests|scripts|cmd|lib)\/[\w./]+/g) ?? []);
  assert(named.includes("tests/docs/pages_test.ts"));
  for (const path of named) assert(Deno.statSync(ROOT + path), path);
});
