/**
 * Checks that a packed program works on this system: `deno run -A scripts/smoke.ts PATH`. It starts
 * every command, lets servers answer their clients, and has every worker and package loaded.
 *
 * @module
 */
import { describeError } from "../cmd/_cli/mod.ts";
import { say } from "./pack/script.ts";
import { EXERCISES } from "./smoke/exercises.ts";
import { PackedProgram } from "./smoke/packed_program.ts";

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined || Deno.args.length > 1) {
    say("error: write the path of the program, and nothing else");
    Deno.exit(2);
  }
  const program = new PackedProgram(path);
  let failed = false;
  for (const { commands, run } of EXERCISES) {
    const folder = await Deno.makeTempDir({ prefix: "socktool-smoke-" });
    try {
      await run(program, folder);
      say(`ok      ${commands.join(", ")}`);
    } catch (error) {
      failed = true;
      say(`FAILED  ${commands.join(", ")}: ${describeError(error)}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  Deno.exit(failed ? 1 : 0);
}
