/**
 * Faults that are planted into the engine one by one: the model has to notice each of them.
 *
 * @module
 */
import { Appender } from "../../../../lib/pubsub/broker/streams/sqlite/appender.ts";
import { Journal } from "../../../../lib/pubsub/broker/streams/sqlite/journal/journal.ts";
import { ConsumerRecord } from "../../../../lib/pubsub/broker/streams/sqlite/consumer_record.ts";
import { GoneTable } from "../../../../lib/pubsub/broker/streams/sqlite/gone_table.ts";
import { LastTopics } from "../../../../lib/pubsub/broker/streams/sqlite/last_topics.ts";
import { MessageIds } from "../../../../lib/pubsub/broker/streams/sqlite/message_ids.ts";
import { Retention } from "../../../../lib/pubsub/broker/streams/sqlite/retention.ts";
import { Runs } from "../../../../lib/pubsub/broker/streams/sqlite/runs.ts";
import { Statements } from "../../../../lib/pubsub/broker/streams/sqlite/statements.ts";
import { StreamRecord } from "../../../../lib/pubsub/broker/streams/sqlite/stream_record.ts";
import { TopicMatcher } from "../../../../lib/pubsub/broker/streams/topic_matcher.ts";

// deno-lint-ignore no-explicit-any
type Method = (this: any, ...args: any[]) => unknown;

interface Mutant {
  readonly name: string;
  readonly of: { readonly prototype: object };
  readonly method: string;
  /** What the method is replaced by. */
  readonly by: (original: Method) => Method;
}

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledgements are not written",
    of: ConsumerRecord,
    method: "save",
    by: () => () => {},
  },
  {
    name: "an acknowledgement ends the delivery, not the entry",
    of: ConsumerRecord,
    method: "remove",
    by: () =>
      function (entry) {
        this.returned(entry, 0, undefined);
      },
  },
  {
    name: "the window of message ids is longer by one",
    of: MessageIds,
    method: "find",
    by: (original) =>
      function (stream, id, time) {
        return original.call(this, stream, id, time - 1);
      },
  },
  {
    name: "message ids are forgotten",
    of: MessageIds,
    method: "find",
    by: () => () => undefined,
  },
  {
    name: "dead letters are written twice",
    of: Appender,
    method: "append",
    by: (original) =>
      function (stream, frame, now) {
        if (stream.name === "_dead") original.call(this, stream, frame, now);
        return original.call(this, stream, frame, now);
      },
  },
  {
    name: "retention drops one run too many",
    of: Retention,
    method: "keepLimits",
    by: (original) =>
      function (stream, now, most) {
        const floor = stream.floor;
        const more = original.call(this, stream, now, most);
        if (stream.floor > floor) {
          this.dropBefore(stream, stream.floor + 1, 1);
        }
        return more;
      },
  },
  {
    name: "retention keeps everything",
    of: Retention,
    method: "keepLimits",
    by: () => () => false,
  },
  {
    name: "a failed commit does not take the numbers back",
    of: StreamRecord,
    method: "rollBack",
    by: (original) =>
      function () {
        const { next } = this;
        original.call(this);
        this.next = next;
      },
  },
  {
    name: "a failed commit does not take acknowledgements back",
    of: ConsumerRecord,
    method: "rollBack",
    by: () => () => {},
  },
  {
    name: "a purge does nothing",
    of: Retention,
    method: "dropBefore",
    by: () => () => true,
  },
  {
    name: "what is gone is not marked",
    of: GoneTable,
    method: "mark",
    by: () => () => {},
  },
  {
    name: "what is gone is not written",
    of: GoneTable,
    method: "save",
    by: () =>
      function () {
        this.rollBack();
      },
  },
  {
    name: "deliveries are made again before their time",
    of: ConsumerRecord,
    method: "opened",
    by: (original) =>
      function (entry, number, member, now) {
        original.call(this, entry, number, member, now);
        entry.at = now + this.settings.ackWaitMs / 2;
        this.dueAt = Math.min(this.dueAt, entry.at);
      },
  },
  {
    name: "attempts are not counted",
    of: ConsumerRecord,
    method: "opened",
    by: (original) =>
      function (entry, number, member, now) {
        const { attempt } = entry;
        original.call(this, entry, number, member, now);
        entry.attempt = Math.max(1, attempt);
      },
  },
  {
    name: "numbers of deliveries begin anew with each start",
    of: Statements,
    method: "row",
    by: (original) =>
      function (sql, ...values) {
        if (sql.includes("INTO counter")) this.run("DELETE FROM counter WHERE name = 'delivery'");
        return original.call(this, sql, ...values);
      },
  },
  {
    name: "the position is written too small",
    of: ConsumerRecord,
    method: "save",
    by: (original) =>
      function (statements) {
        const { position } = this;
        this.position = Math.max(1, position - 1);
        original.call(this, statements);
        this.position = position;
      },
  },
  {
    name: "the position is written too large",
    of: ConsumerRecord,
    method: "save",
    by: (original) =>
      function (statements) {
        const { position } = this;
        this.position = position + 1;
        original.call(this, statements);
        this.position = position;
      },
  },
  {
    name: "the last seq of a topic is off by one",
    of: Appender,
    method: "lastOf",
    by: (original) =>
      function (stream, topic) {
        return Math.max(0, original.call(this, stream, topic) as number - 1);
      },
  },
  {
    name: "filters match everything",
    of: TopicMatcher,
    method: "matches",
    by: () => () => true,
  },
  {
    name: "one consumer's acknowledgement counts for all",
    of: ConsumerRecord,
    method: "hasPassed",
    by: () => () => true,
  },
  {
    name: "the next number is written too small",
    of: StreamRecord,
    method: "save",
    by: (original) =>
      function (statements, now) {
        const { next } = this;
        this.next = Math.max(1, next - 1);
        original.call(this, statements, now);
        this.next = next;
      },
  },
  {
    name: "what came after a stream's row was written is not found out",
    of: Runs,
    method: "after",
    by: () => () => undefined,
  },
  {
    name: "the journal does not reach the disk",
    of: Journal,
    method: "write",
    by: (original) =>
      function () {
        return original.call(this, false);
      },
  },
  {
    name: "what the journal has is not read after a crash",
    of: Statements,
    method: "run",
    by: (original) =>
      function (sql, ...values) {
        return sql.includes("run (stream, first") ? 0 : original.call(this, sql, ...values);
      },
  },
  {
    name: "the journal begins again with the salt that it had",
    of: Journal,
    method: "restart",
    by: (original) => {
      let first: unknown;
      return function (salt) {
        return original.call(this, first ??= salt);
      };
    },
  },
  {
    name: "a failed commit forgets what the journal has",
    of: StreamRecord,
    method: "rollBack",
    by: (original) =>
      function () {
        original.call(this);
        this.journaled = [];
      },
  },
  {
    name: "a commit that failed counts as one that wrote rows of the journal",
    of: StreamRecord,
    method: "rollBack",
    by: () =>
      function () {
        this.committed();
      },
  },
  {
    name: "no rows are written of what the journal has",
    of: Appender,
    method: "writeRows",
    by: () => (stream) => stream.rowsWritten(),
  },
  {
    name: "rows are written twice of what the journal has",
    of: StreamRecord,
    method: "rowsWritten",
    by: () => () => {},
  },
  {
    name: "last topics that are not written are forgotten",
    of: LastTopics,
    method: "committed",
    by: (original) =>
      function () {
        original.call(this, true);
      },
  },
  {
    name: "a failed commit does not take last topics back",
    of: LastTopics,
    method: "rollBack",
    by: () => () => {},
  },
];

/** Plants a fault; disposing takes it out again. */
export function plant({ of, method, by }: Mutant): Disposable {
  const prototype = of.prototype as Record<string, Method>;
  const original = prototype[method]!;
  prototype[method] = by(original);
  return { [Symbol.dispose]: () => void (prototype[method] = original) };
}
