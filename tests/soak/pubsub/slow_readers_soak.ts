import { assertEquals } from "@std/assert";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { formatAddress } from "../../../lib/net/mod.ts";
import { pause, until } from "../../support/deadline.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** How long a round takes at least: at 70 KB/s a full socket takes nothing for 20 s. */
const ROUND_MS = 25_000;

const CONTENT_BYTES = 1_024;

/**
 * One publisher that goes flat out, to one client of the library whose program takes 64 KiB/s or a
 * little more, evenly or in bursts: it misses nothing.
 */
export const slowReadersSoak: Soak = {
  name: "slow-readers",
  async start(): Promise<RunningSoak> {
    const broker = await ServerProgram.start(script("cmd/broker.ts", ":0"));
    const address = formatAddress(broker.address);
    let rounds = 0;
    let delivered = 0;
    return {
      async round(random) {
        const bytesPerSecond = random.pick([70_000, 100_000, 300_000, 700_000]);
        const everyMs = random.pick([20, 200, 1_000]);
        // What a client keeps for a slow program, from next to nothing to the default.
        const maxQueuedBytes = random.pick([10_000, 1_000_000, 8_388_608]);
        delivered += await readSlowly(address, bytesPerSecond, everyMs, maxQueuedBytes);
        rounds++;
      },
      get summary() {
        return `${rounds} rounds, ${delivered} delivered, none missed`;
      },
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
};

/** Publishes and reads for a while; resolves to how many publications were delivered: all. */
async function readSlowly(
  address: string,
  bytesPerSecond: number,
  everyMs: number,
  maxQueuedBytes: number,
): Promise<number> {
  await using subscriber = await connectBroker(address, { maxQueuedBytes });
  await using publisher = await connectBroker(address);
  const startedAt = performance.now();
  let isSlow = true;
  let received = 0;
  let bytes = 0;
  const subscription = await subscriber.subscribe("t", {
    async onMessage(message) {
      received++;
      bytes += message.bytes.length;
      while (isSlow) {
        const periods = Math.floor((performance.now() - startedAt) / everyMs) + 1;
        if (bytes < bytesPerSecond * periods * everyMs / 1_000) return;
        await pause(5);
      }
    },
  });
  const content = new Uint8Array(CONTENT_BYTES);
  let sent = 0;
  while (performance.now() - startedAt < ROUND_MS) {
    for (let i = 0; i < 50; i++) void publisher.publish("t", content);
    sent += 50;
    await publisher.publish("t");
    sent++;
  }
  isSlow = false;
  await publisher.flush();
  const what = `${bytesPerSecond} B/s every ${everyMs} ms, ${maxQueuedBytes} B kept`;
  await until(() => received + subscription.missed >= sent, what);
  assertEquals([received, subscription.missed], [sent, 0], what);
  return received;
}
