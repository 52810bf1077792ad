/** What clients may rely on of consumers and dead letters, whatever keeps the streams. */
import { assert, assertEquals } from "@std/assert";
import type { Frame } from "../../../../lib/frame/mod.ts";
import { until } from "../../../support/deadline.ts";
import { op, RawPeer } from "../../support.ts";
import {
  type ContractCase,
  figuresOf,
  type Header,
  ok,
  ON,
  settle,
  store,
  streamCase,
  texts,
} from "./contract_case.ts";

/** Of consumers: deliveries, acknowledgements and dead letters. */
export const CONSUMERS: readonly ContractCase[] = [
  streamCase(
    "members of a consumer share its messages, and what is not acknowledged comes again",
    async (broker, peer) => {
      for (let i = 0; i < 4; i++) await store(peer, "orders.a", `${i + 1}`);
      using first = await RawPeer.to(broker);
      const consume = {
        stream: "orders",
        consumer: "billing",
        sid: 5,
        "ack-wait-ms": 60_000,
        id: 1,
      };
      ok(await first.ask("consume", { ...consume, prefetch: 2 }));
      const got = [await first.frame(), await first.frame()];
      assertEquals(got.map((frame) => frame.text()), ["1", "2"]);
      const { consumer, attempt, delivery } = got[0]!.header as Header;
      assertEquals([consumer, attempt], ["billing", 1]);
      using second = await RawPeer.to(broker);
      ok(await second.ask("consume", consume));
      const others = [await second.frame(), await second.frame()];
      assertEquals(others.map((frame) => frame.text()), ["3", "4"]);
      const ack = { stream: "orders", consumer: "billing", deliveries: [delivery], id: 2 };
      // Only who has a delivery may acknowledge it.
      const stale = await second.ask("ack", ack);
      assertEquals([stale["code"], stale["stale"]], ["stale-ack", [delivery]]);
      ok(await first.ask("ack", ack));
      first.close();
      const again = await second.frame();
      assertEquals([again.text(), again.header["attempt"]], ["2", 2]);
      const info = { do: "info", stream: "orders", consumer: "billing", id: 3 };
      const figures = ok(await second.ask("consumer", info));
      assertEquals([figures["unacked"], figures["members"], figures["redelivered"]], [3, 1, 1]);
    },
  ),
  streamCase(
    "a message goes to the dead letters after its last attempt, and back",
    async (broker, peer) => {
      using watcher = await RawPeer.to(broker);
      await watcher.sub("_dead.orders.billing");
      await store(peer, "orders.a", "poison", { "content-type": "text/x" });
      const consume = { stream: "orders", consumer: "billing", sid: 5, "max-attempts": 2, id: 1 };
      ok(await peer.ask("consume", consume));
      const nack = async (frame: Frame) => {
        const deliveries = [frame.header["delivery"]];
        await peer.send(
          op("nack", { stream: "orders", consumer: "billing", deliveries, reason: "no" }),
        );
      };
      await nack(await peer.frame());
      await nack(await peer.frame());
      const letter = await watcher.frame();
      const dead = letter.header["dead"] as Header;
      assertEquals([letter.text(), letter.header["topic"]], ["poison", "_dead.orders.billing"]);
      assertEquals([dead["topic"], dead["seq"], dead["attempts"], dead["reason"]], [
        "orders.a",
        1,
        2,
        "no",
      ]);
      const redrive = { do: "redrive", stream: "orders", consumer: "billing", id: 9 };
      await peer.send(op("consumer", redrive));
      const frames = [await peer.frame(), await peer.frame()];
      const back = frames.find(({ header }) => header["op"] === "pub")!;
      assertEquals(frames.find(({ header }) => header["op"] === "ok")!.header["redriven"], 1);
      assertEquals([back.header["topic"], back.header["seq"], back.header["attempt"]], [
        "orders.a",
        1,
        1,
      ]);
      assertEquals(back.header["content-type"], "text/x");
    },
  ),
  streamCase("what is not acknowledged in time comes again, after its backoff", async (_, peer) => {
    await store(peer, "orders.a", "1");
    // Time enough to say that it is in work, on a busy machine too.
    const times = { "ack-wait-ms": 400, "backoff-ms": [50, 1], "max-attempts": 0 };
    ok(await peer.ask("consume", { ...ON, sid: 1, ...times, id: 1 }));
    const first = await peer.frame();
    const at = performance.now();
    // As long as it is in work, it does not.
    assertEquals((await settle(peer, "working", first)).frames, []);
    const second = await peer.frame();
    assert(performance.now() - at >= 440, "the wait and the backoff have passed");
    assertEquals([second.text(), second.header["attempt"]], ["1", 2]);
    const { answer } = await settle(peer, "ack", first);
    assertEquals([answer["code"], answer["stale"]], ["stale-ack", [first.header["delivery"]]]);
    const nacked = performance.now();
    await peer.send(op("nack", { ...ON, deliveries: [second.header["delivery"]], "delay-ms": 80 }));
    const third = await peer.frame();
    assert(performance.now() - nacked >= 75, "it was put off");
    assertEquals(third.header["attempt"], 3);
    ok((await settle(peer, "ack", third)).answer);
    const info = ok(await peer.ask("consumer", { do: "info", ...ON, id: 3 }));
    assertEquals([info["unacked"], info["pending"], info["redelivered"]], [0, 0, 2]);
  }),
  streamCase("what is given back by leaving does not count as an attempt", async (broker, peer) => {
    await store(peer, "orders.a", "1");
    const consume = { ...ON, sid: 1, id: 1, "max-attempts": 1, "ack-wait-ms": 60_000 };
    for (let i = 0; i < 3; i++) {
      ok(await peer.ask("consume", consume));
      assertEquals((await peer.frame()).header["attempt"], 1);
      ok(await peer.ask("unsub", { sid: 1, id: 2 }));
    }
    {
      using leaving = await RawPeer.to(broker);
      ok(await leaving.ask("consume", consume));
      assertEquals((await leaving.frame()).header["attempt"], 1);
      assertEquals((await leaving.ask("bye"))["op"], "bye");
    }
    ok(await peer.ask("consume", consume));
    const { header } = await peer.frame();
    assertEquals([header["seq"], header["attempt"]], [1, 1]);
  }),
  streamCase("a message is kept until all consumers that get it are done", async (broker, peer) => {
    // What nobody consumes yet is kept.
    for (let i = 1; i <= 3; i++) await store(peer, "orders.a", `${i}`);
    await store(peer, "orders.b", "4");
    using other = await RawPeer.to(broker);
    ok(await peer.ask("consume", { ...ON, sid: 1, id: 1 }));
    ok(
      await other.ask("consume", { stream: "orders", consumer: "b", topic: "*.b", sid: 1, id: 1 }),
    );
    const frames: Frame[] = [];
    for (let i = 0; i < 4; i++) frames.push(await peer.frame());
    for (const frame of frames) ok((await settle(peer, "ack", frame)).answer);
    await until(async () => (await figuresOf(peer))["count"] === 1);
    const mine = await other.frame();
    assertEquals(mine.text(), "4");
    ok((await settle(other, "ack", mine, { consumer: "b" })).answer);
    await until(async () => (await figuresOf(peer))["count"] === 0);
    using publisher = await RawPeer.to(broker);
    assertEquals((await store(publisher, "orders.a", "5"))["seq"], 5);
  }, { keep: "until-acked" }),
  streamCase("what no consumer's filter matches is not kept until acked", async (broker, peer) => {
    for (const topic of ["a", "b", "a"]) await store(peer, `orders.${topic}`, topic);
    using member = await RawPeer.to(broker);
    ok(await member.ask("consume", { ...ON, topic: "*.a", sid: 1, id: 1 }));
    for (const frame of [await member.frame(), await member.frame()]) {
      ok((await settle(member, "ack", frame)).answer);
    }
    await until(async () => (await figuresOf(peer))["count"] === 0);
  }, { keep: "until-acked" }),
  streamCase("a consumer begins anew, and can be deleted", async (broker, peer) => {
    for (let i = 1; i <= 3; i++) await store(peer, "orders.a", `${i}`);
    using member = await RawPeer.to(broker);
    ok(await member.ask("consume", { ...ON, sid: 1, id: 1 }));
    const old = [await member.frame(), await member.frame(), await member.frame()];
    const reset = { do: "reset", ...ON, "from-seq": 2, id: 3 };
    const figures = ok(await peer.ask("consumer", reset));
    assertEquals([figures["position"], figures["unacked"]], [2, 0]);
    assertEquals(await texts(member, 2), ["2", "3"]);
    assertEquals((await settle(member, "ack", old[0]!)).answer["code"], "stale-ack");
    const list = ok(await peer.ask("consumer", { do: "list", stream: "orders", id: 4 }));
    const [listed] = list["consumers"] as Header[];
    assertEquals([listed!["consumer"], listed!["unacked"], listed!["members"]], ["c", 2, 1]);
    ok(await peer.ask("consumer", { do: "delete", ...ON, id: 5 }));
    assertEquals((await member.header())["code"], "no-consumer");
    const gone = await peer.ask("consumer", { do: "info", ...ON, id: 6 });
    assertEquals(gone["code"], "no-consumer");
    assertEquals((await figuresOf(peer))["consumers"], 0);
  }),
  streamCase("a consumer is told what was dropped before it got it", async (broker, peer) => {
    const publish = async (first: number, last: number) => {
      for (let i = first; i <= last; i++) await store(peer, "orders.a", `${i}`);
      await until(async () => (await figuresOf(peer))["first-seq"] === last - 2);
    };
    await publish(1, 3);
    using member = await RawPeer.to(broker);
    ok(await member.ask("consume", { ...ON, sid: 1, prefetch: 1, id: 1 }));
    const ack = async ({ header }: Frame) =>
      await member.send(op("ack", { ...ON, deliveries: [header["delivery"]] }));
    const first = await member.frame();
    await publish(4, 6);
    await ack(first);
    const got: string[] = [];
    let missed = 0;
    // One may be told a moment after the other.
    while (got.length < 3 || missed === 0) {
      const frame = await member.frame();
      if (frame.header["op"] === "missed") missed += frame.header["count"] as number;
      else {
        got.push(frame.text());
        await ack(frame);
      }
    }
    assertEquals([got, missed], [["4", "5", "6"], 2]);
    ok(await member.ask("unsub", { sid: 1, id: 4 }));
    // Nobody is there.
    await publish(7, 11);
    ok(await member.ask("consume", { ...ON, sid: 2, prefetch: 1, id: 5 }));
    const frames = [await member.frame(), await member.frame()];
    const told = frames.find(({ header }) => header["op"] === "missed");
    assertEquals([told?.header["count"], told?.header["sid"]], [2, 2]);
    assertEquals(frames.find(({ header }) => header["op"] === "pub")?.text(), "9");
  }, { "max-count": 3 }),
  streamCase("a dead letter that is delivered again may die again, once", async (broker, peer) => {
    await store(peer, "orders.a", "poison");
    using member = await RawPeer.to(broker);
    ok(await member.ask("consume", { ...ON, sid: 1, "max-attempts": 1, id: 1 }));
    const dies = () =>
      until(async () => {
        const info = ok(await peer.ask("consumer", { do: "info", ...ON, id: 3 }));
        return info["dead"] === 1 && info["unacked"] === 0;
      });
    const redrive = async () => {
      const answer = ok(await peer.ask("consumer", { do: "redrive", ...ON, id: 4 }));
      assertEquals(answer["redriven"], 1);
      const back = await member.frame();
      assertEquals([back.text(), back.header["seq"], back.header["attempt"]], ["poison", 1, 1]);
      return back;
    };
    ok((await settle(member, "nack", await member.frame())).answer);
    await dies();
    const joined = ok(await peer.ask("consume", { ...ON, sid: 7, id: 5 }));
    assertEquals(joined["dead"], 1, "who joins is told");
    ok(await peer.ask("unsub", { sid: 7, id: 6 }));
    ok((await settle(member, "nack", await redrive(), { reason: "again" })).answer);
    await dies();
    // The new letter does not come by the old order.
    await store(peer, "orders.a", "another");
    const another = await member.frame();
    assertEquals(another.text(), "another");
    ok((await settle(member, "ack", another)).answer);
    ok((await settle(member, "ack", await redrive())).answer);
    const none = ok(await peer.ask("consumer", { do: "redrive", ...ON, id: 4 }));
    assertEquals(none["redriven"], 0);
  }),
];
