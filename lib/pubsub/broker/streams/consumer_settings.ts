import { quote } from "../../protocol/quote.ts";
import { StreamError } from "./stream_error.ts";
import { fieldOf } from "./stream_settings.ts";
import type { ConsumerSelection, ConsumerSettings } from "./stream_store.ts";

/** How many streams and consumers there may be. */
const MAX_STREAMS = 1_000;
const MAX_CONSUMERS = 10_000;
const MAX_CONSUMERS_OF_STREAM = 1_000;

/** All settings of a consumer, where it does not say. */
const DEFAULTS: ConsumerSettings = {
  topic: undefined,
  ackWaitMs: 30_000,
  maxAttempts: 5,
  maxUnacked: 256,
  backoffMs: [],
};

/** Why a message goes back whose delivery nobody ended. */
export const TIMED_OUT = "not acknowledged in time";
export const LEFT = "the connection ended";

/** The settings of a consumer of which some are given. */
export function newConsumerSettings(given: Partial<ConsumerSettings>): ConsumerSettings {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(entries) };
}

/** @throws {StreamError} `consumer-exists` if settings are given that a consumer has not. */
export function refuseOtherSettings(
  consumer: string,
  settings: ConsumerSettings,
  given: Partial<ConsumerSettings>,
): void {
  for (const [key, value] of Object.entries(given)) {
    const own = settings[key as keyof ConsumerSettings];
    if (value === undefined || JSON.stringify(value) === JSON.stringify(own)) continue;
    const message =
      `The consumer ${quote(consumer)} exists with another setting ${fieldOf(key)}: ` +
      (own === undefined ? "none" : JSON.stringify(own));
    throw new StreamError("consumer-exists", message);
  }
}

/** @throws {StreamError} `too-many-consumers` where there is no room for one more. */
export function refuseMoreConsumers(ofStream: number, inAll: number): void {
  const isMany = ofStream >= MAX_CONSUMERS_OF_STREAM;
  if (!isMany && inAll < MAX_CONSUMERS) return;
  const message = isMany
    ? `A stream may have ${MAX_CONSUMERS_OF_STREAM} consumers`
    : `A store may have ${MAX_CONSUMERS} consumers`;
  throw new StreamError("too-many-consumers", message);
}

/** @throws {StreamError} `too-many-streams` where there is no room for one more. */
export function refuseMoreStreams(count: number): void {
  if (count < MAX_STREAMS) return;
  throw new StreamError("too-many-streams", `A store may have ${MAX_STREAMS} streams`);
}

/** After which time a message is delivered again that was delivered this many times. */
export function backoffOf({ backoffMs }: ConsumerSettings, attempt: number): number {
  return backoffMs[Math.min(attempt, backoffMs.length) - 1] ?? 0;
}

/** Why something is not done with a consumer that there is not. */
export function noConsumer(stream: string, consumer: string): StreamError {
  const message = `The stream ${quote(stream)} has no consumer ${quote(consumer)}`;
  return new StreamError("no-consumer", message);
}

/** Why deliveries are not settled. */
export function staleError(stale: readonly number[], asked: number): StreamError {
  const message = `${stale.length} of ${asked} deliveries are not open: they were ` +
    "settled before, their time was up, or another connection has them";
  return new StreamError("stale-ack", message, stale);
}

/** The names that a selection takes of some, in their order. */
export function selectedNames(
  names: Iterable<string>,
  { only, after = "", most }: ConsumerSelection,
): string[] {
  return [...names].filter((name) => name > after && (only === undefined || name === only))
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, most);
}
