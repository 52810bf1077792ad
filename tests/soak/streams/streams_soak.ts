import { assertEquals } from "@std/assert";
import { CrashLoop } from "../../pubsub/broker/streams/crash_loop.ts";
import { canCutPower, powerCuts } from "../../pubsub/broker/streams/power_cuts.ts";
import { runModel } from "../../pubsub/broker/streams/model_run.ts";
import { Scratch } from "../../support/scratch.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** How often a broker is killed, or its power is cut, before what is left is looked at. */
const KILLS = 5;
/** Runs of the model in a round. */
const MODEL_RUNS = 50;

/**
 * Kills a broker that stores, hands out and purges, again and again: what was confirmed has to be
 * there. In every other round its power is cut, where that can be done. Between, runs random operations on the store beside a model of it.
 */
export const streamsSoak: Soak = {
  name: "streams",
  start(): Promise<RunningSoak> {
    let kills = 0;
    let cuts = 0;
    let rounds = 0;
    let runs = 0;
    let stored = 0;
    return Promise.resolve({
      async round(random: Random) {
        for (let i = 0; i < MODEL_RUNS; i++, runs++) runModel(random.int(0, 2 ** 32 - 1));
        using scratch = new Scratch();
        const isCut = canCutPower && rounds++ % 2 === 1;
        const place = isCut ? await powerCuts(scratch, "always") : { folder: scratch.at("store") };
        const loop = new CrashLoop({ ...place, random });
        for (let i = 0; i < KILLS; i++) {
          await loop.round();
          if (isCut) cuts++;
          else kills++;
        }
        assertEquals(await loop.check(), { lost: 0 });
        stored += loop.stored.size;
      },
      get summary() {
        return `${kills} kills, ${cuts} power cuts, ${stored} stored, ${runs} runs of the model`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
