import {
  nameProblem,
  newStreamSettings,
  openStreamStore,
  StreamError,
  type StreamStore,
  topicsProblem,
} from "../../lib/pubsub/mod.ts";
import { type FlagTable, maxMemoryOf, UsageError } from "../_cli/mod.ts";

/** Flags of a broker that keeps publications. */
export const storeFlags = {
  store: {
    type: "path",
    hint: "folder",
    placeholder: "DIR",
    group: "Streams",
    help: "keep streams and retained publications in this folder, which is made if there is none",
  },
  stream: {
    type: "string",
    placeholder: "NAME=FILTER,…",
    repeat: true,
    requires: ["store"],
    group: "Streams",
    help: "keep what is published on these topics in a stream, which is made if there is none; " +
      "may be given several times",
  },
} as const satisfies FlagTable;

/** The part of `--max-memory` that a store may keep. */
const SHARE = 1 / 8;

/** A stream that `--stream` asks for. */
interface Asked {
  readonly name: string;
  readonly topics: readonly string[];
}

/**
 * Opens the store that the flags ask for and makes its streams; `undefined` without `--store`.
 *
 * @throws {UsageError} if a stream cannot be had as it is asked for.
 */
export async function openStore(
  flags: {
    readonly store: string | undefined;
    readonly stream: readonly string[];
    readonly "max-memory": number | undefined;
  },
): Promise<StreamStore | undefined> {
  const asked = flags.stream.map(readStream);
  if (flags.store === undefined) return undefined;
  const store = await openStreamStore(flags.store, {
    maxMemoryBytes: Math.floor(maxMemoryOf(flags) * SHARE),
  });
  try {
    for (const stream of asked) await makeStream(store, stream);
    return store;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads `NAME=FILTER,…`. */
function readStream(text: string): Asked {
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

async function makeStream(store: StreamStore, { name, topics }: Asked): Promise<void> {
  const known = store.streams.get(name)?.settings.topics;
  if (known === undefined) {
    try {
      await store.create(name, newStreamSettings(topics));
    } catch (error) {
      if (error instanceof StreamError && error.code === "stream-overlap") {
        throw new UsageError(`--stream: ${error.message}`);
      }
      throw error;
    }
  } else if (known.toSorted().join() !== topics.toSorted().join()) {
    throw new UsageError(
      `--stream ${name}: the stream exists and keeps ${known.join(",")}, not ${topics.join(",")}`,
    );
  }
}
