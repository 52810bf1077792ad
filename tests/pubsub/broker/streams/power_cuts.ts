/**
 * Power cuts for a broker's process: a library is preloaded into it that keeps what was synced.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ROOT } from "../../../support/programs.ts";
import { Scratch } from "../../../support/scratch.ts";
import { isInstalled, runTool } from "../../../support/tools.ts";
import type { CrashOptions } from "./crash_loop.ts";

/** Whether the library can be built here; says so where it cannot. */
export const canCutPower: boolean = Deno.build.os === "linux" &&
  isInstalled("cc", "cutting the power");

/** Compiled once, and gone with the process. */
let built: Promise<string> | undefined;

async function buildLibrary(): Promise<string> {
  const scratch = new Scratch();
  addEventListener("unload", () => scratch[Symbol.dispose]());
  const library = scratch.at("power_cut.so");
  const source = `${ROOT}tests/support/power_cut.c`;
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-lpthread"];
  const { code, err } = await runTool("cc", args);
  assertEquals(code, 0, err);
  return library;
}

/** A process whose files are, when it is dead, as a power cut would leave them. */
export async function powerCuts(
  scratch: Scratch,
  sync: "always" | "interval",
): Promise<CrashOptions> {
  const folder = scratch.at("store");
  const kept = scratch.at("kept");
  const library = await (built ??= buildLibrary());
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
