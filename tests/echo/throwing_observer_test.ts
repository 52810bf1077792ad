import { assert, assertEquals } from "@std/assert";
import { redirectErrors } from "../../lib/base/report.ts";
import {
  type EchoObserver,
  exchangeEcho,
  serveEcho,
  serveEchoThreads,
} from "../../lib/echo/mod.ts";
import { until } from "../support/deadline.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";

/** An observer all of whose methods throw, or give promises that reject. */
function failing(): EchoObserver {
  return {
    opened() {
      throw new Error("opened");
    },
    received: () => Promise.reject(new Error("received")) as unknown as void,
    closed() {
      throw new Error("closed");
    },
  };
}

for (
  const [name, serve] of [
    ["serveEcho()", async () => serveEcho(await listenLocally(), { observer: failing() })],
    ["serveEchoThreads()", () => serveEchoThreads(LOOPBACK, 2, { observer: failing() })],
  ] as const
) {
  Deno.test({
    name: `${name} reports what its observer throws, and goes on`,
    ignore: name === "serveEchoThreads()" && Deno.build.os !== "linux",
    async fn() {
      const messages: string[] = [];
      const told = new Set<string>();
      using _ = redirectErrors((error, what) => {
        messages.push((error as Error).message);
        told.add(what);
      });
      await using server = await serve();
      for (let i = 0; i < 3; i++) {
        const { bytes } = await exchangeEcho(server.address, new Blob(["hello"]).stream());
        assertEquals(bytes, 5);
      }
      await until(() => messages.length >= 9, "each call was reported");
      const counts = Object.groupBy(messages, (message) => message);
      assertEquals(
        [counts["opened"], counts["received"], counts["closed"]].map((each) => each?.length),
        [3, 3, 3],
      );
      for (const what of told) assert(/ failed$/.test(what), what);
    },
  });
}
