import { assert, assertEquals } from "@std/assert";
import { inspectLarge } from "../../capture/large_capture.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** More than sequence numbers count to, so that they wrap. */
const LARGE_BYTES = 4.5 * 2 ** 30;

/** What `inspect` may take beyond what it takes for a small capture. */
const MORE_BYTES = 67_108_864;

/** Reads captures of more than 4 GiB, on one connection: all is found, and memory does not grow. */
export const inspectSoak: Soak = {
  name: "inspect",
  async start(): Promise<RunningSoak> {
    const { peakBytes: idleBytes } = await inspectLarge(1_048_576);
    let rounds = 0;
    let most = 0;
    return {
      async round() {
        const { peakBytes, summary, sentFrames, sentBytes } = await inspectLarge(LARGE_BYTES);
        assertEquals([summary.frames, summary.bytes], [sentFrames, sentBytes]);
        assertEquals([summary.missing_bytes, summary.skipped_bytes], [0, 0]);
        most = Math.max(most, peakBytes - idleBytes);
        assert(most < MORE_BYTES, `${most} bytes more`);
        rounds++;
      },
      get summary() {
        return `${rounds} captures of 4.5 GiB, ${Math.round(most / 1_048_576)} MiB more at most`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
};
