import { assertEquals } from "@std/assert";
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type HeaderInit,
} from "../../../../lib/frame/mod.ts";
import { ClientDeliveries } from "../../../../lib/pubsub/client/receiving/client_deliveries.ts";
import type { ClientLink } from "../../../../lib/pubsub/client/link/client_link.ts";
import { Dispatcher } from "../../../../lib/pubsub/client/receiving/dispatcher.ts";
import { PendingAnswers } from "../../../../lib/pubsub/client/publishing/pending_answers.ts";
import { ClientStatus } from "../../../../lib/pubsub/client/client_status.ts";
import { StreamReadings } from "../../../../lib/pubsub/client/streams/stream_readings.ts";
import { codeOf } from "../support.ts";

const LIMITS = { max: Infinity, maxQueuedMessages: 10, maxQueuedBytes: 10_000 };

/** A client's inner parts, and a link that notes what is sent and why it is closed. */
function parts() {
  const errors: unknown[] = [];
  const answers = new PendingAnswers();
  const deliveries = new ClientDeliveries({
    respond: () => Promise.resolve(),
    unsubscribe: () => Promise.resolve(),
    get awaitsAnswer() {
      return answers.areAwaited;
    },
    tellError: (error) => void errors.push(error),
  });
  const readings = new StreamReadings(answers, new ClientStatus(undefined, () => {}));
  const refused = (error: unknown) => errors.push(error);
  const dispatcher = new Dispatcher(deliveries, answers, readings, refused);
  const sent: unknown[] = [];
  const closed: unknown[] = [];
  const link = {
    send({ header }: { header: HeaderInit }) {
      sent.push(header);
      return Promise.resolve();
    },
    answerPing: (id: unknown) => sent.push({ op: "pong", id }),
    close: (reason: unknown) => closed.push(reason),
  } as unknown as ClientLink;
  const receive = (...headers: HeaderInit[]) => {
    dispatcher.readBegins(1_000);
    for (const header of headers) dispatcher.received(frameOf(header), link);
    dispatcher.readEnds();
  };
  return { errors, answers, deliveries, dispatcher, sent, closed, link, receive };
}

function frameOf(header: HeaderInit): Frame {
  return new FrameDecoder().decode(encodeFrame({ header })).frames[0]!;
}

Deno.test("answers go to who asked, and errors that nobody waits for are told", async () => {
  const { answers, receive, errors, link } = parts();
  const ok = answers.ask(link, "unsub", {});
  const refused = codeOf(answers.ask(link, "sub", {}));
  receive({ op: "error", id: 2, code: "forbidden", message: "no" }, { op: "ok", id: 1, more: 5 });
  assertEquals([(await ok)["more"], await refused], [5, "forbidden"]);
  receive({ op: "error", code: "bad-topic", message: "no", topic: "t" }, { op: "ok", id: 99 });
  assertEquals(errors.length, 1);
  assertEquals((errors[0] as { topic: string }).topic, "t");
});

Deno.test("a ping is answered, a bye closes, and what nobody knows is ignored", () => {
  const { receive, sent, closed } = parts();
  receive({ op: "ping", id: 3 }, { op: "new" }, { op: "pub" }, { op: "missed", topic: "x" });
  assertEquals(sent, [{ op: "pong", id: 3 }]);
  receive({ op: "bye", reason: "unauthorized" });
  assertEquals((closed[0] as { code: string }).code, "unauthorized");
});

Deno.test("deliveries go to the subscriptions of now, and an error to one ends it", async () => {
  const { deliveries, receive } = parts();
  const texts: string[] = [];
  const add = async (filter: string, name: string) => {
    const onMessage = () => void texts.push(name);
    const subscription = deliveries.add(filter, { onMessage }, LIMITS);
    subscription.confirmed = true;
    await subscription.begin();
    return subscription;
  };
  const first = await add("a.*", "first");
  receive({ op: "pub", topic: "a.b" }, { op: "pub", topic: "a.b" });
  await add("a.b", "second");
  receive({ op: "pub", topic: "a.b" }, { op: "pub", topic: "b" });
  deliveries.remove(first);
  receive({ op: "pub", topic: "a.b" });
  assertEquals(texts.toSorted(), ["first", "first", "first", "second", "second"]);
  const ended = deliveries.add("c", {}, LIMITS);
  ended.confirmed = true;
  receive({ op: "error", code: "forbidden", message: "no", filter: "c" });
  assertEquals(await codeOf(ended.next()), "forbidden");
});

Deno.test("reading pauses only while all are full and no answer is due", () => {
  const { deliveries, dispatcher, answers, receive, link } = parts();
  const one = deliveries.add("a", {}, LIMITS);
  const fill = { op: "pub", topic: "a" };
  receive(...Array(10).fill(fill));
  let resumed = 0;
  const isPaused = () => {
    const room = dispatcher.room();
    void room?.then(() => resumed++);
    return room !== undefined;
  };
  assertEquals(isPaused(), true);
  answers.onAwaited = () => deliveries.resume();
  answers.ask(link, "ping", {}).catch(() => {});
  assertEquals(isPaused(), false);
  receive({ op: "pong", id: 1 });
  assertEquals(isPaused(), true);
  const other = deliveries.add("b", {}, LIMITS);
  assertEquals(isPaused(), false);
  deliveries.remove(other);
  assertEquals(isPaused(), true);
  one.end();
  assertEquals(isPaused(), false);
});
