import { assertEquals } from "@std/assert";
import { dial, toAddress } from "../../lib/net/mod.ts";
import type { Turns } from "../../lib/net/turns.ts";
import { listenSockets } from "../../lib/proxy/listen_sockets.ts";
import { ReadBudget } from "../../lib/proxy/read_memory.ts";
import type { Side } from "../../lib/proxy/side.ts";
import { deadline, until } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { dialResettable } from "./ends.ts";

Deno.test("that a connection has ended, or was reset, is told when it is its turn", async () => {
  using folder = new Scratch();
  const kinds = [["127.0.0.1:0", "ended"], ["127.0.0.1:0", "failed"]];
  if (Deno.build.os !== "windows") kinds.push([`unix:${folder.at("side")}`, "ended"]);
  for (const [address, way] of kinds) {
    using listener = await listenSockets(toAddress(address!));
    const asked = Promise.withResolvers<void>();
    const turn = Promise.withResolvers<void>();
    let isTurn = false;
    const turns: Pick<Turns, "takeIfBusy" | "takeToEnd"> = {
      takeIfBusy: () => undefined,
      takeToEnd() {
        asked.resolve();
        return isTurn ? undefined : turn.promise;
      },
    };
    const accepted = Promise.withResolvers<Side>();
    listener.serve({ accepted: (side) => void accepted.resolve(side), failed: accepted.reject }, {
      turns: turns as Turns,
      reads: new ReadBudget(),
    });
    const told: string[] = [];
    const listen = (side: Side) => {
      side.listen({
        received: () => true,
        drained() {},
        ended: () => told.push("ended"),
        failed: () => told.push("failed"),
        closed: () => told.push("closed"),
      });
      side.resume();
      return side;
    };
    let side: Side;
    if (way === "ended") {
      using client = await dial(listener.address);
      side = listen(await deadline(accepted.promise));
      await client.closeWrite();
      await deadline(asked.promise, `${address}: an end waits for its turn`);
    } else {
      const client = await dialResettable(listener.address);
      side = listen(await deadline(accepted.promise));
      client.resetAndDestroy();
      await deadline(asked.promise, `${address}: a reset waits for its turn`);
    }
    for (let i = 0; i < 10; i++) await undefined;
    assertEquals(told, [], `${address}, ${way}`);
    isTurn = true;
    turn.resolve();
    await until(() => told.length > 0, `${address}: it is told that it ${way}`);
    assertEquals(told[0], way);
    side.close();
    await until(() => told.at(-1) === "closed");
  }
});
