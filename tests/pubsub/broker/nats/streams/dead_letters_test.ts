import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ByteBuffer } from "../../../../../lib/base/byte_buffer.ts";
import type { CoreLink } from "../../../../../lib/pubsub/broker/nats/core_link.ts";
import { JetStreamAppender } from "../../../../../lib/pubsub/broker/nats/streams/appender.ts";
import { DeadLetters } from "../../../../../lib/pubsub/broker/nats/streams/dead_letters.ts";
import type { JetStreamApi } from "../../../../../lib/pubsub/broker/nats/streams/jetstream_api.ts";
import { StoredMessages } from "../../../../../lib/pubsub/broker/nats/streams/stored_messages.ts";
import { TopicCounters } from "../../../../../lib/pubsub/broker/nats/topic_counters.ts";
import type { NatsMessage } from "../../../../../lib/pubsub/broker/nats/wire/nats_message.ts";
import { StreamError } from "../../../../../lib/pubsub/broker/streams/stream_error.ts";

/** The message that dies. */
const SEQ = 7;

/** What the servers of JetStream answer, one after the other, whoever leads at that moment. */
interface Answers {
  /** The number of the first message from {@linkcode SEQ} on that the stream's leader has. */
  readonly next?: number;
  /** What a leader tells of its stream. */
  readonly first?: number;
  readonly last?: number;
  readonly deleted?: number[];
  /** To the letter. */
  readonly stored?: object;
}

/** Moves a message to the dead letters. @returns What was published. */
async function bury({ next, first = 1, last = 9, deleted, stored = { seq: 1 } }: Answers) {
  let publications = "";
  let answer: (message: NatsMessage) => void;
  const link = {
    connected: true,
    maxPayload: 1_048_576,
    output: new ByteBuffer(),
    subscribe: (_: string, { received }: { received: typeof answer }) => answer = received,
    flushSoon() {
      const printed = new TextDecoder().decode(this.output.view());
      this.output.clear();
      publications += printed;
      const subject = /\$socktool\.stored\.\S+/.exec(printed)![0];
      const data = new TextEncoder().encode(JSON.stringify(stored));
      queueMicrotask(() => answer({ subject, data } as NatsMessage));
    },
  };
  const state = { first_seq: first, last_seq: last, deleted };
  const manager = { streams: { info: () => Promise.resolve({ state }) } };
  const api = {
    messageOf: (_tried: string, _stream: string, { seq }: { seq: number }) =>
      Promise.resolve(
        next === undefined ? undefined : {
          seq: next,
          subject: "runs.a",
          data: new TextEncoder().encode(`message ${next} from ${seq}`),
          smr: { message: {} },
        } as unknown as StoredMsg,
      ),
    do: (_tried: string, use: (manager: JetStreamManager) => unknown) =>
      use(manager as unknown as JetStreamManager),
  };
  const letters = new DeadLetters(
    api as unknown as JetStreamApi,
    new JetStreamAppender(link as unknown as CoreLink, "g1", new TopicCounters()),
    new StoredMessages(),
    () => Promise.resolve(),
    () => {},
  );
  const whose = { stream: "runs", consumer: "work", incarnation: "i", letter: undefined };
  await letters.store({ ...whose, seq: SEQ, time: 0, attempts: 2, reason: "nack" });
  return publications;
}

Deno.test("a message that has had its last attempt is published as a dead letter", async () => {
  const published = await bury({ next: SEQ });
  assertStringIncludes(published, "HPUB _dead.runs.work ");
  assertStringIncludes(published, "Nats-Msg-Id: runs.work.i.7\r\n");
  assertStringIncludes(published, `message ${SEQ} from ${SEQ}`);
  assertStringIncludes(await bury({ next: SEQ, stored: { seq: 3, duplicate: true } }), "HPUB ");
});

Deno.test("one that its stream has dropped has no letter, if the answer itself shows that", async () => {
  for (const answers of [{ next: 8 }, { first: 8 }, { first: 10 }, { deleted: [5, SEQ] }]) {
    assertEquals(await bury(answers), "", JSON.stringify(answers));
  }
});

Deno.test("one that a leader does not have yet is not given up, whichever server answers next", async () => {
  // The second answer is of a leader that has it, or of the same one a moment later.
  for (const answers of [{ last: 6 }, { last: SEQ }, { last: 9 }, { first: 0, last: 0 }]) {
    const { code } = await assertRejects(() => bury(answers), StreamError);
    assertEquals(code, "unavailable", JSON.stringify(answers));
  }
});

Deno.test("a letter is stored only if JetStream says where", async () => {
  const inProcess = { error: { code: 409, err_code: 10158, description: "in process" }, seq: 0 };
  for (const stored of [{ seq: 0, duplicate: true }, inProcess]) {
    const { code } = await assertRejects(() => bury({ next: SEQ, stored }), StreamError);
    assertEquals(code, "unavailable", JSON.stringify(stored));
  }
});
