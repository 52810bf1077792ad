import { assertEquals } from "@std/assert";
import { JetStreamApiError, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import type { JetStreamApi } from "../../../../../lib/pubsub/broker/nats/streams/jetstream_api.ts";
import {
  type ConsumerState,
  SharedRecord,
} from "../../../../../lib/pubsub/broker/nats/streams/shared_record.ts";

/** What is stored of one record, as JetStream keeps it: whoever expects another number is refused. */
class Stored {
  seq = 0;
  text = "";
  reads = 0;

  read(): Promise<StoredMsg | undefined> {
    this.reads++;
    const { seq, text } = this;
    return Promise.resolve(
      seq === 0 ? undefined : { seq, string: () => text } as unknown as StoredMsg,
    );
  }

  publish(_: string, text: string, { expect }: { expect: { lastSubjectSequence: number } }) {
    if (expect.lastSubjectSequence !== this.seq) {
      const description = `wrong last sequence: ${this.seq}`;
      throw new JetStreamApiError({ code: 400, err_code: 10_071, description });
    }
    this.seq++;
    this.text = text;
    return Promise.resolve();
  }

  /** A record of it, which `between` can disturb between reading and writing. */
  record(between: () => Promise<unknown> = () => Promise.resolve()): SharedRecord {
    const manager = { jetstream: () => this } as unknown as JetStreamManager;
    const api = {
      messageOf: () => this.read(),
      do: async (_: string, use: (manager: JetStreamManager) => Promise<unknown>) => {
        await between();
        return await use(manager);
      },
    };
    return new SharedRecord(api as unknown as JetStreamApi, "s", "c", "i");
  }
}

Deno.test("those who read a record in the same moment share an answer", async () => {
  const stored = new Stored();
  const record = stored.record();
  await Promise.all(Array.from({ length: 1_000 }, () => record.read()));
  assertEquals(stored.reads, 1);
  await record.read();
  assertEquals(stored.reads, 2);
});

Deno.test("what another gateway has changed meanwhile is not overwritten, even where it is read", async () => {
  const stored = new Stored();
  const other = stored.record();
  let isDisturbed = false;
  const record: SharedRecord = stored.record(async () => {
    if (isDisturbed) return;
    isDisturbed = true;
    await other.change((state) => ({ ...state, told: 7 }));
    await record.read();
  });
  await record.change((state: ConsumerState) => ({ ...state, redrive: 5 }));
  const { told, redrive } = await record.read();
  assertEquals([told, redrive], [7, 5]);
});
