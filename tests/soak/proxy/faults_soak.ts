import { bytesOf } from "../../proxy/ends.ts";
import { LOSSLESS, passLossless } from "../../proxy/lossless.ts";
import type { RunningSoak, Soak } from "../soak.ts";

const SENT_BYTES = 50_000_000;

/** Some faults make it wait. */
const TIMEOUT_MS = 300_000;

/** Sends 50 MB both ways through each fault that loses nothing, and through all of them at once. */
export const faultsSoak: Soak = {
  name: "faults",
  start(): Promise<RunningSoak> {
    const sent = bytesOf(SENT_BYTES);
    let passed = 0;
    return Promise.resolve({
      async round(random) {
        for (const faults of [...LOSSLESS.map((fault) => [fault]), LOSSLESS]) {
          await passLossless(sent, faults, random.int(0, 2 ** 31), TIMEOUT_MS);
          passed++;
        }
      },
      get summary() {
        return `50 MB both ways, through faults ${passed} times`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
