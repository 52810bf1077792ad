/** What was confirmed survives the end of the process, and of the power. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../../support/programs.ts";
import { Scratch } from "../../../support/scratch.ts";
import { isInstalled, runTool } from "../../../support/tools.ts";
import { CrashLoop, type CrashOptions } from "./crash_loop.ts";

const KILLS = 10;
const POWER_CUTS = 6;

Deno.test("what is confirmed is there after kill -9", async () => {
  using scratch = new Scratch();
  const loop = new CrashLoop({ folder: scratch.at("store") });
  for (let i = 0; i < KILLS; i++) await loop.round();
  assert(loop.stored.size > 100 && loop.acked.size > 0, "something was done");
  assertEquals(await loop.check(), { lost: 0 });
});

const canCutPower = Deno.build.os === "linux" && isInstalled("cc", "cutting the power");

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

/** A process whose files are, when it is dead, as a power cut would leave them. */
async function powerCuts(scratch: Scratch, sync: "always" | "interval"): Promise<CrashOptions> {
  const folder = scratch.at("store");
  const kept = scratch.at("kept");
  const library = scratch.at("power_cut.so");
  const source = `${ROOT}tests/support/power_cut.c`;
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-lpthread"];
  const { code, err } = await runTool("cc", args);
  assertEquals(code, 0, err);
  await Deno.mkdir(folder);
  await Deno.mkdir(kept);
  const env = { LD_PRELOAD: library, POWER_CUT_FROM: folder, POWER_CUT_TO: kept };
  return {
    folder,
    env,
    sync,
    async onKilled() {
      await Deno.remove(folder, { recursive: true });
      await Deno.mkdir(folder);
      for await (const { name } of Deno.readDir(kept)) {
        if (!name.endsWith(".part")) await Deno.copyFile(`${kept}/${name}`, `${folder}/${name}`);
      }
    },
  };
}
