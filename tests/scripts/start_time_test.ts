import { assert } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { Scratch } from "../support/scratch.ts";

const LIMIT_MS = 60;
/** On a machine that does other things as well, the fastest of some starts says most. */
const ROUNDS = 20;

async function startMs(args: readonly string[]): Promise<number> {
  const begin = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    stdout: "null",
  }).output();
  assert(success, args.join(" "));
  return performance.now() - begin;
}

Deno.test("--version and --help take no longer than 60 ms more than an empty program", async () => {
  using scratch = new Scratch();
  const empty = scratch.write("empty.ts", "");
  const commands = [[empty], ["cmd/socktool.ts", "--version"], ["cmd/socktool.ts", "--help"]];
  const best = [Infinity, Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, args] of commands.entries()) {
      best[i] = Math.min(best[i]!, await startMs(args));
    }
    if (Math.max(best[1]!, best[2]!) - best[0]! < LIMIT_MS) return;
  }
  throw new Error(`An empty program takes ${best[0]} ms, --version ${best[1]}, --help ${best[2]}`);
});
