/** Runs the program `socktool`. */
import { runMulti } from "./_cli/multi.ts";
import { program } from "./program.ts";

if (import.meta.main) Deno.exit(await runMulti(program));
