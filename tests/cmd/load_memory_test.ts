import { assert, assertEquals } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { pause } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";
import { Program, residentBytes, script } from "../support/programs.ts";

/** The most memory that a run of the client has, looked at every 10 ms. */
async function peakOf(...args: string[]): Promise<number> {
  await using program = new Program(script("cmd/multiconn_client.ts", ...args));
  let over = false;
  const finished = program.finished().finally(() => over = true);
  let peak = 0;
  while (!over) {
    try {
      peak = Math.max(peak, residentBytes(program.pid) || 0);
    } catch {
      break;
    }
    await pause(10);
  }
  const { code, err } = await finished;
  assertEquals(code, 0, err);
  return peak;
}

Deno.test({
  name: "multiconn-client sends messages of 256 MiB in 64 MiB more than small ones take",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = serveEcho(await listenLocally());
    const where = formatAddress(server.address);
    const small = await peakOf(where, "2", "--size", "64", "--duration", "300ms");
    const large = await peakOf(where, "2", "--size", "256MiB", "--count", "1");
    assert(small > 0 && large < small + 67_108_864, `${large} above ${small}`);
  },
});
