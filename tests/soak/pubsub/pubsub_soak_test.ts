import { Random } from "../random.ts";
import { pubsubSoak } from "./pubsub_soak.ts";

/** One of each kind: they end with nothing, with a restart and with a kill. */
const ROUNDS = 3;

Deno.test("received + missed = sent, through stalls, killed members and restarts", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  await using running = await pubsubSoak.start();
  for (let i = 0; i < ROUNDS; i++) await running.round(new Random(seed + i));
});
