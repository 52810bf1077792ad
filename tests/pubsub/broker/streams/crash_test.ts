/** What was confirmed survives the end of the process, and of the power. */
import { assert, assertEquals } from "@std/assert";
import { Scratch } from "../../../support/scratch.ts";
import { CrashLoop } from "./crash_loop.ts";
import { canCutPower, powerCuts } from "./power_cuts.ts";

/** The soak makes more. */
const KILLS = 10;
const POWER_CUTS = 6;

Deno.test("what is confirmed is there after kill -9", async () => {
  using scratch = new Scratch();
  const loop = new CrashLoop({ folder: scratch.at("store") });
  for (let i = 0; i < KILLS; i++) await loop.round();
  assert(loop.stored.size > 100 && loop.acked.size > 0, "something was done");
  assertEquals(await loop.check(), { lost: 0 });
});

Deno.test({
  name: "what is confirmed is there after a power cut",
  ignore: !canCutPower,
  async fn() {
    using scratch = new Scratch();
    const loop = new CrashLoop(await powerCuts(scratch, "always"));
    for (let i = 0; i < POWER_CUTS; i++) await loop.round();
    assert(loop.stored.size > 50 && loop.acked.size > 0, "something was done");
    assertEquals(await loop.check(), { lost: 0 });
  },
});

Deno.test({
  name: "a power cut takes what does not wait for the disk, so the test above can fail",
  ignore: !canCutPower,
  async fn() {
    using scratch = new Scratch();
    const loop = new CrashLoop(await powerCuts(scratch, "interval"));
    await loop.round();
    assert(loop.stored.size > 0, "something was done");
    const { lost } = await loop.check();
    assert(lost > 0, "nothing was lost");
  },
});

Deno.test({
  name: "a power cut would take what is in a journal that is not synced",
  ignore: !canCutPower,
  async fn() {
    let lost = 0;
    // The database may just have had all of it.
    for (let i = 0; i < POWER_CUTS && lost === 0; i++) {
      using scratch = new Scratch();
      const options = await powerCuts(scratch, "always");
      const env = { ...options.env!, POWER_CUT_LIES: "socktool.journal" };
      const loop = new CrashLoop({ ...options, env, consumes: false });
      await loop.round();
      assert(loop.stored.size > 0, "something was done");
      lost = (await loop.check()).lost;
    }
    assert(lost > 0, "nothing was lost");
  },
});
