import { importLater } from "../../lib/base/import_later.ts";
import type { StreamStore } from "../../lib/pubsub/broker/streams/stream_store.ts";
import { type Context, type FlagTable, maxMemoryOf, UsageError } from "../_cli/mod.ts";

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
    group: "Streams",
    help:
      "with --store or --nats, keep what is published on these topics in a stream, which is made " +
      "if there is none; may be given several times",
  },
} as const satisfies FlagTable;

/** The part of `--max-memory` that a store may keep. */
const SHARE = 1 / 8;

/** Opens the store that the flags ask for; `undefined` without `--store`. */
export async function openStore(
  flags: { readonly store: string | undefined; readonly "max-memory": number | undefined },
): Promise<StreamStore | undefined> {
  if (flags.store === undefined) return undefined;
  const { openStreamStore } = await importLater<
    typeof import("../../lib/pubsub/broker/streams/mod.ts")
  >(new URL("../../lib/pubsub/broker/streams/mod.ts", import.meta.url));
  return await openStreamStore(flags.store, {
    maxMemoryBytes: Math.floor(maxMemoryOf(flags) * SHARE),
  });
}

/** Makes the streams that are asked for in a store, as `makeStreams` does. */
export type MakeStreams = (store: StreamStore, waitMs: number, context: Context) => Promise<void>;

/**
 * What makes the streams that the flags ask for, where they do not exist; `undefined` if they ask for
 * none.
 *
 * @throws {UsageError} if there can be no such stream.
 */
export async function askedStreams(
  flags: {
    readonly store: string | undefined;
    readonly nats: string | undefined;
    readonly stream: readonly string[];
  },
): Promise<MakeStreams | undefined> {
  if (flags.stream.length === 0) return undefined;
  // One of them may come from the environment, so the flags' table cannot tell.
  if (flags.store === undefined && flags.nats === undefined) {
    throw new UsageError("--stream needs --store or --nats beside it");
  }
  const { makeStreams, readStreams } = await importLater<typeof import("./make_streams.ts")>(
    new URL("./make_streams.ts", import.meta.url),
  );
  const asked = readStreams(flags.stream);
  return (store, waitMs, context) => makeStreams(store, asked, waitMs, context);
}
