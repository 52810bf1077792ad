import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import type { Address } from "../../../lib/net/mod.ts";
import { op } from "../../pubsub/support.ts";
import { deadline, pause } from "../../support/deadline.ts";
import { RawClient } from "../../support/peers.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** For how long publishers go flat out in a round. */
const BURST_MS = 1_000;

/** What a publisher sends in one write. */
const WRITE_BYTES = 262_144;

const PAYLOADS = [0, 16, 128, 1_024, 16_384, 65_536, 262_144, 1_048_576];

/**
 * Publishers that go flat out, to one subscriber with the default policy that is slower than they
 * are: it gets all of it.
 */
export const flatOutSoak: Soak = {
  name: "flat-out",
  async start(): Promise<RunningSoak> {
    const broker = await ServerProgram.start(script("cmd/broker.ts", ":0"));
    let rounds = 0;
    let delivered = 0;
    return {
      async round(random) {
        const payload = PAYLOADS[rounds++ % PAYLOADS.length]!;
        const publishers = random.pick([1, 1, 1, 2, 8, 40]);
        // After so many bytes the subscriber reads nothing for a moment.
        const pauseBytes = random.pick([Infinity, 200_000, 500_000, 4_000_000]);
        delivered += await burst(broker.address, payload, publishers, pauseBytes);
      },
      get summary() {
        return `${rounds} rounds, ${delivered} delivered, none missed`;
      },
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
};

/** Publishes for a second; resolves to how many publications were delivered: all. */
async function burst(
  address: Address,
  payload: number,
  publishers: number,
  pauseBytes: number,
): Promise<number> {
  using subscriber = await RawClient.connect(address);
  await subscriber.send(op("sub", { topic: "t", id: 1 }));
  assertEquals((await subscriber.answer())?.header["op"], "ok");
  let sent = Infinity;
  let received = 0;
  const reading = (async () => {
    for (let bytes = 0; received < sent;) {
      const frame = await subscriber.answer();
      const header: Record<string, unknown> = frame?.header ?? {};
      if (header["op"] === "ping") continue;
      const what = `${publishers} × ${payload} B: after ${received}: ${JSON.stringify(header)}`;
      assertEquals(header["op"], "pub", what);
      received++;
      bytes += payload + 120;
      if (bytes >= pauseBytes) {
        bytes = 0;
        await pause(20);
      }
    }
  })();
  const frame = encodeFrame(op("pub", { topic: "t" }, new Uint8Array(payload)));
  const each = Math.max(1, Math.floor(WRITE_BYTES / frame.length));
  const batch = new Uint8Array(each * frame.length);
  for (let i = 0; i < each; i++) batch.set(frame, i * frame.length);
  const counts = await Promise.all(Array.from({ length: publishers }, async () => {
    using publisher = await RawClient.connect(address);
    let count = 0;
    for (const end = performance.now() + BURST_MS; performance.now() < end; count += each) {
      await publisher.send(batch);
    }
    // Its answer comes when all was handed out.
    await publisher.send(op("ping", { id: 1 }));
    let header: Record<string, unknown> | undefined;
    while (header?.["op"] !== "pong") header = (await publisher.answer())?.header;
    return count;
  }));
  sent = counts.reduce((sum, count) => sum + count, 0);
  // One more, by which the reader sees that there are no others.
  using last = await RawClient.connect(address);
  await last.send(frame);
  sent++;
  await deadline(reading, "all that was sent", 60_000);
  return sent;
}
