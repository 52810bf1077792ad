import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChunkDecoder } from "../../lib/frame/mod.ts";
import { makeAttack } from "./frames/attack.ts";
import { Random } from "./random.ts";
import { runSoak } from "./run_soak.ts";
import { type Soak, SoakError } from "./soak.ts";

const INGREDIENTS = {
  maxContentBytes: 1_000,
  frame: (random: Random) => ({
    fields: { n: random.int(1, 9) },
    content: random.bytes(random.int(0, 50)),
  }),
};

Deno.test("the same seed makes the same attacks", () => {
  const attacks = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 10 }, () => {
      const { pieces, ...attack } = makeAttack(random, INGREDIENTS);
      return JSON.stringify({ ...attack, pieces: pieces.map((piece) => piece.toHex()) });
    }).join("\n");
  };
  const first = attacks(5);
  assert(first === attacks(5));
  assert(first !== attacks(6));
});

Deno.test("what is said to be valid is, and most of the rest is not", () => {
  const random = new Random(1);
  let broken = 0;
  let mutated = 0;
  for (let i = 0; i < 250; i++) {
    const { pieces, validFrames } = makeAttack(random, INGREDIENTS);
    const decoder = new ChunkDecoder({ maxContentBytes: INGREDIENTS.maxContentBytes });
    const batches = pieces.map((piece) => decoder.push(piece));
    const error = batches.find((batch) => batch.error)?.error ?? decoder.end();
    if (validFrames !== undefined) {
      assertEquals(error, undefined);
      assertEquals(batches.reduce((sum, { frames }) => sum + frames.length, 0), validFrames);
    } else {
      mutated++;
      if (error !== undefined) broken++;
    }
  }
  assert(mutated > 100 && broken > mutated / 2, `${broken} of ${mutated} are broken`);
});

Deno.test("a round that fails names its seed, and fails again with it", async () => {
  let ended = 0;
  const soak: Soak = {
    name: "fails",
    start: () =>
      Promise.resolve({
        round: (random) =>
          random.int(1, 20) === 7 ? Promise.reject(new Error("seven")) : Promise.resolve(),
        summary: "",
        [Symbol.asyncDispose]: () => Promise.resolve(void ended++),
      }),
  };
  const options = { onProgress() {}, signal: new AbortController().signal };
  const error = await assertRejects(
    () => runSoak(soak, { ...options, seed: 2 ** 32 - 3, durationMs: 60_000 }),
    SoakError,
    "seven",
  );
  const { seed } = error;
  const again = await assertRejects(
    () => runSoak(soak, { ...options, seed, durationMs: 0 }),
    SoakError,
  );
  assertEquals(again.seed, seed);
  assertEquals(ended, 2);
});
