import { attackBroker, ATTACKS } from "../../beside/broker_attacks.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** The attacks of the tests are of a second or two; here they are up to so many times as large. */
const MAX_SIZE = 5;

/** Attacks brokers as tests/beside does, at greater length: others are answered meanwhile. */
export const attacksSoak: Soak = {
  name: "attacks",
  start(): Promise<RunningSoak> {
    const names = Object.keys(ATTACKS);
    const tried = new Set<string>();
    let rounds = 0;
    return Promise.resolve({
      async round(random) {
        const name = random.pick(names);
        await attackBroker(name, random.int(1, MAX_SIZE));
        tried.add(name);
        rounds++;
      },
      get summary() {
        return `${rounds} times one of ${tried.size} attacks on a broker`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
