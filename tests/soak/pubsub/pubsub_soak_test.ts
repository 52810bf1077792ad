import { runSoak } from "../run_soak.ts";
import { pubsubSoak } from "./pubsub_soak.ts";

Deno.test("received + missed = sent, through stalls, killed members and restarts", async () => {
  const signal = new AbortController().signal;
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  // One round of each kind at least.
  await runSoak(pubsubSoak, { seed, durationMs: 4_000, onProgress() {}, signal });
});
