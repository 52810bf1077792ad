/** Bytes through faults that lose none. */
import { assertEquals } from "@std/assert";
import { dial, listen } from "../../lib/net/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { deadline } from "../support/deadline.ts";
import { digestOf, readAll, writeAll } from "./ends.ts";

/** What loses nothing, whatever else it does. */
export const LOSSLESS = [
  "both delay 5ms jitter 4ms",
  "both rate 200MB/s",
  "both rate 400MB/s shared",
  "both loss 0.01%",
  "both slice 20000..90000B",
  "both slice 30000B every 1ms for 100ms",
  "both stall 20ms after 1MB",
  "both corrupt 50% from 10.0.0.0/8",
  "both blackhole after 20ms for 30ms",
  "both reset after 1GiB",
];

/** Passes bytes up, and down when the other half has ended: what comes has their digest. */
export async function passLossless(
  sent: Uint8Array<ArrayBuffer>,
  faults: readonly string[],
  seed: number,
  timeoutMs?: number,
): Promise<void> {
  const digest = await digestOf(sent);
  using listener = await listen("127.0.0.1:0");
  await using proxy = await serveProxy("127.0.0.1:0", listener.address, { faults, seed });
  using client = await dial(proxy.address);
  using upstream = await deadline(listener.accept(), "a connection");
  const one = async (from: Deno.Conn, to: Deno.Conn) => {
    const [received] = await Promise.all([
      readAll(to),
      writeAll(from, sent).then(() => from.closeWrite()),
    ]);
    assertEquals(await digestOf(received), digest, faults.join());
  };
  await deadline(one(client, upstream), faults.join(), timeoutMs);
  await deadline(one(upstream, client), faults.join(), timeoutMs);
}
