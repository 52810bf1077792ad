import { assertEquals } from "@std/assert";
import { connectBroker, openStreamStore, serveBroker } from "../../../../lib/pubsub/mod.ts";
import { BriefWait } from "../../../../lib/pubsub/broker/streams/sqlite/brief_wait.ts";
import { Scratch } from "../../../support/scratch.ts";

/** Of so many batches of a size, which are waited for. @param isTaken Whether the answer comes in time. */
function waits(wait: BriefWait, batches: number, asked: number, isTaken: boolean): number[] {
  const waited: number[] = [];
  for (let i = 0; i < batches; i++) {
    if (!wait.isWorth(asked)) continue;
    waited.push(i);
    assertEquals(wait.take({ takeAnswer: () => isTaken }), isTaken);
  }
  return waited;
}

Deno.test("small batches are waited for, and after those that take long ever fewer", () => {
  const wait = new BriefWait();
  assertEquals(waits(wait, 3, 1, true), [0, 1, 2]);
  assertEquals(waits(wait, 300, 1, false), [0, 2, 5, 10, 19, 36, 69, 134, 199, 264]);
  assertEquals(waits(wait, 65, 1, true), range(29, 65));
  assertEquals(waits(wait, 4, 1, false), [0, 2]);
});

Deno.test("a batch is waited for of which somebody asks about a publication, or about few", () => {
  const worth = [0, 1, 8, 9, 1_000].map((asked) => new BriefWait().isWorth(asked));
  assertEquals(worth, [false, true, true, false, false]);
  const ofTwo = [0, 2, 64, 65].map((asked) => new BriefWait().isWorth(asked, 2));
  assertEquals(ofTwo, [false, true, true, false]);
});

Deno.test("a batch of a few dozen is waited for if all is in it that was outstanding lately", () => {
  const wait = new BriefWait();
  assertEquals(wait.isWorth(64), false, "that is not known");
  const worth = (...answered: number[]) => {
    answered.forEach((outstanding) => wait.answered(outstanding));
    return [20, 32, 63, 64, 65].map((asked) => wait.isWorth(asked));
  };
  assertEquals(worth(64, 64), [false, false, false, true, false]);
  assertEquals(worth(64, 32, 64, 32), [false, false, false, true, false], "two groups by turns");
  assertEquals(worth(32), [false, true, true, true, false]);
  assertEquals(worth(1_024), [false, false, false, false, false]);
});

Deno.test("a store is told whether one client alone has sent something", async () => {
  using scratch = new Scratch();
  await using streams = await openStreamStore(scratch.at("store"));
  await using broker = await serveBroker("127.0.0.1:0", { streams });
  await using one = await connectBroker(broker.address);
  await using other = await connectBroker(broker.address);
  const isAlone = () => streams.events!.isAlone();
  for (const client of [one, other, one]) {
    await client.publishConfirmed("topic", "another one than before");
    assertEquals(isAlone(), false);
    await client.publishConfirmed("topic", "the same");
    assertEquals(isAlone(), true);
  }
  await Promise.all([one, other].map((client) => client.publishConfirmed("topic", "both")));
  assertEquals([isAlone(), isAlone()], [false, true]);
});

function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
