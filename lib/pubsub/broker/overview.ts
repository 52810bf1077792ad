import { inSteps } from "../../base/in_steps.ts";
import type { Principal } from "../../access/mod.ts";
import type { Refusal } from "../protocol/codes.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { BrokerConnection, BrokerStats } from "./broker_stats.ts";
import { StreamError } from "./streams/stream_error.ts";
import { publishRefusal } from "./routing/publications.ts";
import { ANONYMOUS } from "./routing/rights.ts";
import type { ConsumerFigures, StreamFigures, StreamStore } from "./streams/stream_store.ts";
import { mayDo, mayDoAnything } from "./streams/stream_rights.ts";
import { tellConnections, type Telling, tellTopics, type TopicFigures } from "./system_topics.ts";

/** How many streams are told with their consumers. */
const MAX_STREAMS = 100;

/** How many consumers of each of them are told. */
const MAX_CONSUMERS = 100;

/** How many topics are told for each connection that is. */
const TOPICS_PER_CLIENT = 2;

/** A stream and its consumers in figures. */
export interface StreamOverview {
  /** The stream. */
  readonly stream: StreamFigures;
  /** Its first 100 consumers; none for a user who may not consume it. */
  readonly consumers: readonly ConsumerFigures[];
}

/** A broker at one glance. What a user may not ask for on the wire is left out. */
export interface BrokerOverview {
  /** The broker in figures. */
  readonly stats: BrokerStats;
  /** The connections for which most waits, then those that missed most. */
  readonly connections: readonly BrokerConnection[] | undefined;
  /** What is subscribed to, the filters with the most subscribers first. */
  readonly topics: readonly TopicFigures[] | undefined;
  /** Streams by name, where the broker has a store. */
  readonly streams: readonly StreamOverview[] | undefined;
}

/**
 * Makes an overview, in steps, because connections may be many.
 *
 * @param limit How many connections are told.
 * @param principal Who asks.
 * @returns Why the user may not ask for the broker's figures, if that is so.
 */
export async function overviewOf(
  core: BrokerCore,
  limit: number,
  principal: Principal = ANONYMOUS,
): Promise<BrokerOverview | Refusal> {
  const refusal = publishRefusal(principal, "_sys.stats");
  if (refusal) return refusal;
  const may = (topic: string) => publishRefusal(principal, topic) === undefined;
  const connections = may("_sys.connections")
    ? (await told(core, tellConnections(core, limit))).connections
    : undefined;
  const topics = may("_sys.topics")
    ? (await told(core, tellTopics(core, limit * TOPICS_PER_CLIENT))).topics
    : undefined;
  const streams = core.streams && await streamsOf(core.streams, principal);
  return { stats: core.figures.stats(), connections, topics, streams };
}

async function told<T>({ pause }: BrokerCore, { work, result }: Telling<T>): Promise<T> {
  await inSteps(work, pause);
  return result();
}

/** The streams with which a user may do something. */
async function streamsOf(store: StreamStore, principal: Principal): Promise<StreamOverview[]> {
  const streams = [...store.streams.values()]
    .filter(({ name }) => mayDoAnything(principal, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, MAX_STREAMS);
  return await Promise.all(streams.map(async (stream) => ({
    stream,
    consumers: mayDo(principal, stream.name, "consume") && stream.consumers > 0
      ? await consumersOf(store, stream.name)
      : [],
  })));
}

/** A stream may be deleted meanwhile. */
async function consumersOf(
  store: StreamStore,
  stream: string,
): Promise<readonly ConsumerFigures[]> {
  try {
    return await store.consumers(stream, { most: MAX_CONSUMERS });
  } catch (error) {
    if (error instanceof StreamError && error.code === "no-stream") return [];
    throw error;
  }
}
