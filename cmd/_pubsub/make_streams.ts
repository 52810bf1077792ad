import { sleep } from "../../lib/base/sleep.ts";
import { StreamError } from "../../lib/pubsub/broker/streams/stream_error.ts";
import { nameProblem } from "../../lib/pubsub/broker/streams/stream_rights.ts";
import {
  newStreamSettings,
  topicsProblem,
} from "../../lib/pubsub/broker/streams/stream_settings.ts";
import type { StreamStore } from "../../lib/pubsub/broker/streams/stream_store.ts";
import { filtersOverlap } from "../../lib/pubsub/protocol/topic.ts";
import { type Context, UsageError } from "../_cli/mod.ts";

/** Refusals that are about what is asked for. */
const REFUSALS: readonly string[] = ["stream-exists", "stream-overlap", "bad-stream"];

/** How often to ask again for streams that cannot be had yet. */
const RETRY_MS = 500;

/** A stream that `--stream` asks for. */
export interface AskedStream {
  readonly name: string;
  readonly topics: readonly string[];
}

/**
 * Reads each `NAME=FILTER,…`.
 *
 * @throws {UsageError} if there can be no such stream, or not beside another of them.
 */
export function readStreams(texts: readonly string[]): readonly AskedStream[] {
  const asked = texts.map(readStream);
  asked.forEach((stream, i) => asked.slice(0, i).forEach((other) => refuseBoth(stream, other)));
  return asked;
}

/** @throws {UsageError} if two streams cannot both be there. */
function refuseBoth({ name, topics }: AskedStream, other: AskedStream): void {
  if (name === other.name) {
    if (areSame(topics, other.topics)) return;
    throw new UsageError(`--stream ${name} is given with ${other.topics} and with ${topics}`);
  }
  for (const topic of topics) {
    const overlapping = other.topics.find((each) => filtersOverlap(topic, each));
    if (overlapping === undefined) continue;
    throw new UsageError(`--stream ${name}: ${topic} overlaps ${overlapping} of ${other.name}`);
  }
}

function readStream(text: string): AskedStream {
  const [, name, list] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const refuse = (problem: string) =>
    new UsageError(`--stream ${JSON.stringify(text)}: ${problem}`);
  if (name === undefined || list === undefined) {
    throw refuse("write the stream's name, = and its topics: 'orders=orders.>'");
  }
  const problem = nameProblem(name);
  if (problem !== undefined) throw refuse(`the name cannot be used: ${problem}`);
  const topics = list.split(",");
  const topicsFault = topicsProblem(topics);
  if (topicsFault !== undefined) throw refuse(topicsFault);
  return { name, topics };
}

/**
 * Makes streams, where they do not exist.
 *
 * @param store Where they are to be; several brokers may have the same.
 * @param waitMs How long to wait for a store that is not available.
 * @throws {UsageError} if one cannot be had as it is asked for.
 * @throws {StreamError} if the store is not available, or fails.
 */
export async function makeStreams(
  store: StreamStore,
  asked: readonly AskedStream[],
  waitMs: number,
  { signal, log }: Context,
): Promise<void> {
  const until = performance.now() + waitMs;
  let isTold = false;
  for (const stream of asked) {
    while (true) {
      try {
        await makeStream(store, stream);
        break;
      } catch (error) {
        signal.throwIfAborted();
        const isOver = performance.now() >= until;
        if (!(error instanceof StreamError) || error.code !== "unavailable" || isOver) throw error;
        if (!isTold) log.warn(`${error.message}; waiting for it`);
        isTold = true;
        await sleep(RETRY_MS, signal);
        signal.throwIfAborted();
      }
    }
  }
}

async function makeStream(store: StreamStore, { name, topics }: AskedStream): Promise<void> {
  try {
    if (await topicsOf(store, name) === undefined) {
      return void await store.create(name, newStreamSettings(topics));
    }
  } catch (error) {
    const { code, message } = error as StreamError;
    if (!REFUSALS.includes(code)) throw error;
    // Another broker of the cluster may have made it a moment ago.
    if (code !== "stream-exists" || await topicsOf(store, name) === undefined) {
      throw new UsageError(`--stream: ${message}`);
    }
  }
  const known = (await topicsOf(store, name))!;
  if (!areSame(known, topics)) {
    throw new UsageError(
      `--stream ${name}: the stream exists and keeps ${known.join(",")}, not ${topics.join(",")}`,
    );
  }
}

/** Whether two streams keep the same, in whatever order it is given. */
function areSame(topics: readonly string[], others: readonly string[]): boolean {
  return topics.toSorted().join() === others.toSorted().join();
}

/** What a stream keeps; `undefined` if it does not exist. */
async function topicsOf(store: StreamStore, name: string): Promise<readonly string[] | undefined> {
  return (await store.figures(name))[0]?.settings.topics;
}
