import type { ConsumerRecord } from "./consumer_record.ts";
import type { StreamRecord } from "./stream_record.ts";

/**
 * Tells whether all consumers of a stream are done with a message. There may be a thousand consumers.
 * One that is not done with a message is seldom done with the next, so it is asked first.
 */
export class DoneCheck {
  readonly #behind = new WeakMap<StreamRecord, ConsumerRecord>();

  /**
   * @param consumers All of the stream, by their names.
   * @param topicOf Gives the message's topic; `undefined` if it is not kept any more.
   */
  byAll(
    stream: StreamRecord,
    consumers: ReadonlyMap<string, ConsumerRecord>,
    seq: number,
    topicOf: () => string | undefined,
  ): boolean {
    let topic: string | undefined;
    const isBehind = (consumer: ConsumerRecord) => {
      if (consumer.hasPassed(seq)) return false;
      if (consumer.matcher.matchesAll) return true;
      topic ??= topicOf();
      return topic === undefined || consumer.matcher.matches(topic);
    };
    const last = this.#behind.get(stream);
    if (last && consumers.get(last.name) === last && isBehind(last)) return false;
    for (const consumer of consumers.values()) {
      if (!isBehind(consumer)) continue;
      this.#behind.set(stream, consumer);
      return false;
    }
    return true;
  }
}
