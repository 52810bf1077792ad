import { Attacker, neighbour, serverArgs } from "../../beside/app_server_attacks.ts";
import { ATTACKS } from "../../beside/attack_app_server.ts";
import { latenciesBeside } from "../../support/neighbour.ts";
import { processWorkMs, startAppServer } from "../../support/programs.ts";
import { Scratch } from "../../support/scratch.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** Each attack of the tests is made up to so many times in a row. */
const MAX_SIZE = 5;

/**
 * Attacks an app server as tests/beside does, at greater length and in any order: others are answered
 * meanwhile.
 */
export const appServerAttacksSoak: Soak = {
  name: "app-server-attacks",
  async start(): Promise<RunningSoak> {
    await using started = new AsyncDisposableStack();
    const server = started.use(await startAppServer(serverArgs(started.use(new Scratch()))));
    const attacker = started.use(new Attacker());
    const clients = started.use(new DisposableStack());
    const request = await neighbour(server, clients);
    const work = Deno.build.os === "linux" ? () => processWorkMs(server.pid) : undefined;
    const all = started.move();
    const names = Object.keys(ATTACKS);
    const tried = new Set<string>();
    let rounds = 0;
    return {
      async round(random) {
        const name = random.pick(names);
        const attack = () => attacker.attack(server, name, random.int(1, MAX_SIZE));
        await latenciesBeside(request, attack, { everyMs: 2, work });
        tried.add(name);
        rounds++;
      },
      get summary() {
        return `${rounds} times one of ${tried.size} attacks on an app server`;
      },
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  },
};
