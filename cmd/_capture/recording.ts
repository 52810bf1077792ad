import { importLater } from "../../lib/base/import_later.ts";
import type { Recorder } from "../../lib/capture/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import { formatAddress } from "../../lib/net/address.ts";
import type { Context, FlagTable } from "../_cli/mod.ts";

/** `--record`, of whatever serves connections. */
export const recordFlags = {
  record: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Recording",
    help:
      "record all connections in this file of pcapng, which Wireshark and socktool inspect open",
  },
  "record-max": {
    type: "size",
    min: 1_048_576,
    group: "Recording",
    requires: ["record"],
    help: "begin the file anew when it would get larger; what it had goes to FILE.1",
  },
} as const satisfies FlagTable;

/** The values of {@linkcode recordFlags}. */
export interface RecordValues {
  readonly record: string | undefined;
  readonly "record-max": number | undefined;
}

/**
 * Begins the recording that `--record` asks for, and warns of what is in it. The library is loaded
 * only then.
 *
 * @param what What is recorded, such as `broker on 127.0.0.1:5635`.
 * @throws {UsageError} if the file is there and is no recording.
 */
export async function startRecording(
  { record: path, "record-max": maxBytes }: RecordValues,
  what: string,
  context: Context,
): Promise<Recorder | undefined> {
  if (path === undefined) return undefined;
  const { beginRecording } = await importLater<typeof import("./begin_recording.ts")>(
    new URL("./begin_recording.ts", import.meta.url),
  );
  return beginRecording(path, maxBytes, what, context);
}

/** A listener that is to be served, and the end of its recording. */
export interface ServedListener extends Disposable {
  readonly listener: Listener;
}

/**
 * The listener of a server, whose connections are recorded if that is asked for. Dispose of it when
 * the server has ended.
 */
export async function recordConnections(
  listener: Listener,
  flags: RecordValues,
  command: string,
  context: Context,
): Promise<ServedListener> {
  const what = `${command} on ${formatAddress(listener.address)}`;
  const recorder = await startRecording(flags, what, context);
  if (recorder === undefined) return { listener, [Symbol.dispose]: () => {} };
  const { recordListener } = await importLater<typeof import("../../lib/capture/mod.ts")>(
    new URL("../../lib/capture/mod.ts", import.meta.url),
  );
  return {
    listener: recordListener(listener, recorder),
    [Symbol.dispose]: () => recorder.close(),
  };
}
