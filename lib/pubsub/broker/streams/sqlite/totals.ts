import { DEAD_LETTERS } from "../dead_letter.ts";
import type { StreamTotals } from "../stream_store.ts";
import type { Tables } from "./tables.ts";

/** All streams and consumers in figures. */
export function totalsOf(tables: Tables, now: number): StreamTotals {
  let [streams, messages, bytes, dead] = [0, 0, 0, 0];
  for (const stream of tables.byName.values()) {
    if (stream.name === DEAD_LETTERS) dead = stream.count;
    else {
      streams++;
      messages += stream.count;
      bytes += stream.bytes;
    }
  }
  let [pending, unacked, redelivered, oldestUnackedMs] = [0, 0, 0, 0];
  for (const consumer of tables.allConsumers()) {
    const figures = consumer.figures(now, 0);
    pending += figures.pending;
    unacked += figures.unacked;
    redelivered += figures.redelivered;
    oldestUnackedMs = Math.max(oldestUnackedMs, figures.oldestUnackedMs);
  }
  const consumers = tables.consumerCount;
  const counts = { streams, messages, bytes, consumers, pending, unacked, redelivered };
  return { ...counts, dead, oldestUnackedMs };
}
