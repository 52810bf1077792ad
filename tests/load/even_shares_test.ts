import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { runLoad } from "../../lib/load/mod.ts";
import { serveConnections } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";

/** The size of the messages, by which the server counts them. */
const BYTES = 16;

Deno.test("an open loop sends every message of its schedule once, as evenly as can be, whatever the workers", async () => {
  const received = new Map<number, number>();
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      const { input, output } = connection;
      received.set(connection.id, 0);
      while (await connection.read()) {
        const count = input.end - input.start;
        received.set(connection.id, received.get(connection.id)! + count);
        output.buffer.append(input.bytes.subarray(input.start, input.end));
        input.consume(count);
        output.flush();
      }
    },
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      async (ratePerSecond, durationMs, connections, workers) => {
        received.clear();
        const { summary } = await deadline(runLoad({
          address: server.address,
          ratePerSecond,
          durationMs,
          connections,
          workers,
          messageBytes: BYTES,
        }));
        const due = Math.ceil(ratePerSecond * durationMs / 1_000);
        assertEquals([summary.due, summary.sent, summary.answered], [due, due, due]);
        assertEquals(summary.errors, 0);
        const counts = [...received.values()].map((bytes) => bytes / BYTES);
        assertEquals(counts.reduce((sum, count) => sum + count, 0), due);
        assertEquals(counts.length, connections);
        assert(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
      },
    ),
    { numRuns: 6 },
  );
});
