import { assert, assertEquals } from "@std/assert";
import { flood } from "../../proxy/flood.ts";
import type { RunningSoak, Soak } from "../soak.ts";

const LARGE_BYTES = 4 * 2 ** 30;

/** What a proxy may take beyond what it takes idle. */
const MORE_BYTES = 67_108_864;

/** Sends 4 GiB through a proxy, half of it each way, without TLS and with: its memory does not grow. */
export const proxySoak: Soak = {
  name: "proxy",
  start(): Promise<RunningSoak> {
    let rounds = 0;
    let most = 0;
    return Promise.resolve({
      async round() {
        for (const place of [undefined, "client", "upstream"] as const) {
          const { moreBytes, receivedBytes } = await flood(LARGE_BYTES, place);
          assertEquals(receivedBytes, LARGE_BYTES);
          most = Math.max(most, moreBytes);
          assert(most < MORE_BYTES, `TLS of ${place}: ${most} bytes more`);
        }
        rounds++;
      },
      get summary() {
        return `${rounds} times 3 × 4 GiB, ${Math.round(most / 1_048_576)} MiB more at most`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};
