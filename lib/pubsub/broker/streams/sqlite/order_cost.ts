import type { Settlement, StreamFigures } from "../stream_store.ts";

/** What settling counts for, in bytes that take as long: per order, and per delivery. */
const SETTLE_BYTES = 300;
const SETTLED_BYTES = 64;

/** In addition, if messages may be dropped then: per delivery, and per consumer that is asked. */
const DROPPED_BYTES = 1_500;
const ASKED_BYTES = 6;

/**
 * What a publication counts for beside its bytes where messages are listed by topic, and the oldest of
 * a topic are dropped: that takes some 50 µs.
 */
const LISTED_BYTES = 8_000;

/** What each publication to a stream counts for beside its bytes. */
export function publicationCost(stream: StreamFigures | undefined): number {
  return (stream?.settings.maxPerTopic ?? Infinity) === Infinity ? 0 : LISTED_BYTES;
}

/**
 * What settling deliveries counts for, in bytes of publications. It is counted because nobody waits for
 * its answer: a client could send any number of such orders.
 *
 * @param stream The stream that they are of.
 */
export function settlingCost(
  { deliveries }: Settlement,
  stream: StreamFigures | undefined,
): number {
  const dropping = stream?.settings.keep === "until-acked"
    ? DROPPED_BYTES + ASKED_BYTES * stream.consumers
    : 0;
  return SETTLE_BYTES + (SETTLED_BYTES + dropping) * deliveries.length;
}
