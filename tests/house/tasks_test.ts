/** The tasks of deno.json. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { LANE_NAMES, laneOf, NAMED, testFiles } from "../../scripts/test.ts";
import { ROOT } from "../support/programs.ts";
import { runTool } from "../support/tools.ts";

Deno.test("what the tasks name is there", () => {
  const named = Object.values(config.tasks)
    .flatMap(({ command }) => command.match(/\b(tests|scripts|cmd|lib)\/[\w./]+/g) ?? []);
  assert(named.includes("scripts/test.ts"));
  for (const path of named) assert(Deno.statSync(ROOT + path), path);
});

Deno.test("a test file that was moved is still begun first, or alone; each lane has a task", () => {
  for (const path of NAMED) assert(Deno.statSync(ROOT + path), path);
  const lanes = new Set(testFiles().map(laneOf));
  const tasks = Object.values(config.tasks)
    .flatMap(({ command }) => /scripts\/test\.ts (\w+)$/.exec(command)?.[1] ?? []);
  assertEquals([...lanes].toSorted(), tasks.toSorted());
  for (const lane of tasks) assert(config.tasks.test.command.includes(`test:${lane}`), lane);
});

Deno.test("a lane of another name is refused: with no file named, all tests would run", async () => {
  // Where it is not refused, `deno test` shows its help, and runs nothing.
  const args = ["run", "-A", `${ROOT}scripts/test.ts`, "everything", "--help"];
  const { code, out, err } = await runTool(Deno.execPath(), args);
  assertEquals([code, out], [2, ""]);
  for (const name of ["everything", ...LANE_NAMES]) assertStringIncludes(err, name);
});
