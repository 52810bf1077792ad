import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { parseAddress } from "../../../lib/net/mod.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { script, ServerProgram } from "../../support/programs.ts";
import { mutateFrames } from "../../web/mutate_frames.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/** Sequences of frames in a round, each of four frames with mistakes. */
const SEQUENCES = 100;

/** Frames of WebSocket with mistakes in them, beside a client that makes none. */
export const webSocketSoak: Soak = {
  name: "web-sockets",
  async start(): Promise<RunningSoak> {
    const broker = await ServerProgram.start(script("cmd/broker.ts", ":0", "--http", ":0"));
    const where = /^pages on http:\/\/(\S+)\/\n/m.exec(broker.err)![1]!;
    const address = parseAddress(where);
    const client = await connectBroker(`ws://${where}/ws`, { reconnect: false });
    let received = 0;
    await client.subscribe("beside", { onMessage: () => void received++ });
    let rounds = 0;
    return {
      async round(random) {
        const request = encodeFrame({
          header: { op: "pub", topic: "mutated", id: 1 },
          content: random.bytes(random.int(0, 300)),
        });
        await mutateFrames({ address }, request, SEQUENCES, random);
        assertEquals(await client.publishConfirmed("beside", "still here"), 1);
        rounds++;
      },
      get frames() {
        return rounds * SEQUENCES * 4;
      },
      get summary() {
        return `${rounds * SEQUENCES * 4} frames, ${received} messages beside them`;
      },
      async [Symbol.asyncDispose]() {
        await client.close();
        await broker[Symbol.asyncDispose]();
      },
    };
  },
};
