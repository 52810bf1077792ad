import { assertLess } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { until } from "../../support/deadline.ts";
import { RawClient } from "../../support/peers.ts";
import { residentBytes, startAppServer } from "../../support/programs.ts";

const FRAME_BYTES = 6_000_000;

/** The size of the heap from which glibc gives memory, in bytes. */
function heapBytes(pid: number): number {
  const maps = Deno.readTextFileSync(`/proc/${pid}/maps`);
  const [, from, to] = /^(\w+)-(\w+) .*\[heap\]$/m.exec(maps)!;
  return Number.parseInt(to!, 16) - Number.parseInt(from!, 16);
}

Deno.test({
  name:
    "what clients leave unfinished is not kept in the heap, and is given back when they are gone",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await startAppServer(["--writable"]);
    const { pid } = server;
    const part = encodeFrame({ content: new Uint8Array(FRAME_BYTES) }).subarray(0, -1);
    const heapBefore = heapBytes(pid);
    // What the first leave behind tells glibc that the second will need such memory again.
    for (const _round of [1, 2]) {
      const before = residentBytes(pid);
      const clients = await Promise.all([1, 2].map(async () => {
        const client = await RawClient.connect(server.address);
        await client.send(part);
        return client;
      }));
      await until(() => residentBytes(pid) > before + FRAME_BYTES * 1.8, "all of it is there");
      assertLess(heapBytes(pid) - heapBefore, FRAME_BYTES);
      for (const client of clients) client.close();
      await until(() => residentBytes(pid) < before + FRAME_BYTES, "it is given back");
    }
  },
});
