/** The engine keeps its promises whatever happens, and the model would notice if it did not. */
import { assert } from "@std/assert";
import { runModel } from "./model_run.ts";
import { MUTANTS, plant } from "./mutants.ts";

/** Runs of the engine as it is; the soak makes others. */
const RUNS = 15;
/** Runs after which a planted fault must have been noticed. */
const MUTANT_RUNS = 60;
/** Begun with: their runs notice what few others do. */
const KEEN_SEEDS = [11, 1, 14, 43, 8, 6];
const MUTANT_SEEDS: ReadonlySet<number> = new Set([
  ...KEEN_SEEDS,
  ...Array.from({ length: MUTANT_RUNS }, (_, i) => i + 1),
]);

Deno.test("the engine keeps its promises through crashes and full disks", () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    try {
      runModel(seed);
    } catch (cause) {
      throw new Error(`The run with the seed ${seed} failed`, { cause });
    }
  }
});

for (const mutant of MUTANTS) {
  Deno.test(`the model notices that ${mutant.name}`, () => {
    using _planted = plant(mutant);
    assert(MUTANT_SEEDS.values().some(isNoticed));
  });
}

function isNoticed(seed: number): boolean {
  try {
    runModel(seed);
    return false;
  } catch {
    return true;
  }
}
