import { assertEquals } from "@std/assert";
import { CrashLoop } from "../../pubsub/broker/streams/crash_loop.ts";
import { runModel } from "../../pubsub/broker/streams/model_run.ts";
import { Scratch } from "../../support/scratch.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** How often a broker is killed before what is left is looked at. */
const KILLS = 5;
/** Runs of the model in a round. */
const MODEL_RUNS = 50;

/**
 * Kills a broker that stores, hands out and purges, again and again: what was confirmed has to be
 * there. Between, runs random operations on the store beside a model of it.
 */
export const streamsSoak: Soak = {
  name: "streams",
  start(): Promise<RunningSoak> {
    let kills = 0;
    let runs = 0;
    let stored = 0;
    return Promise.resolve({
      async round(random: Random) {
        for (let i = 0; i < MODEL_RUNS; i++, runs++) runModel(random.int(0, 2 ** 32 - 1));
        using scratch = new Scratch();
        const loop = new CrashLoop({ folder: scratch.at("store"), random });
        for (let i = 0; i < KILLS; i++, kills++) await loop.round();
        assertEquals(await loop.check(), { lost: 0 });
        stored += loop.stored.size;
      },
      get summary() {
        return `${kills} kills, ${stored} stored, ${runs} runs of the model`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
