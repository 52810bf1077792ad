import type { ConnectionError, ResolvedLimits, Server } from "../../lib/net/mod.ts";
import { formatAddress } from "../../lib/net/address.ts";
import { importLater } from "../../lib/base/import_later.ts";
import { onLargeMemory } from "../../lib/base/large_memory.ts";
import { machineMemoryBytes } from "../../lib/net/machine_memory.ts";
import type { Address } from "../../lib/net/mod.ts";
import type { Context } from "./command.ts";
import { describeError, lowerFirst } from "./describe_error.ts";
import { giveLargeMemoryBack } from "./large_allocations.ts";
import type { Log } from "./log.ts";
import { RepeatedWarnings, type Wording } from "./repeated_warnings.ts";
import type { FlagTable, FlagValues } from "./spec.ts";
import { formatCount } from "../../lib/base/units.ts";

/** Limits on what one client, and all clients together, may use of a server. */
export const limitFlags = {
  "max-connections": {
    type: "count",
    default: "20k",
    group: "Limits",
    help: "serve at most this many clients at once; 0 for no limit",
  },
  "idle-timeout": {
    type: "duration",
    default: "10m",
    group: "Limits",
    help: "close a connection on which no byte moves for this long; 0 for never",
  },
  "first-byte-timeout": {
    type: "duration",
    default: "2m",
    group: "Limits",
    help: "close a connection that has sent nothing after this time; 0 for never",
  },
  "max-pending": {
    type: "size",
    default: "1MiB",
    group: "Limits",
    help: "read nothing more from a client while this much output waits for it",
  },
  "max-memory": {
    type: "size",
    group: "Limits",
    help:
      "keep at most this much for all clients together; without it, a quarter of the machine's " +
      "memory, or of the container's",
  },
  "drain-timeout": {
    type: "duration",
    default: "5s",
    group: "Limits",
    help: "on SIGINT or SIGTERM, give connections this long to finish",
  },
} as const satisfies FlagTable;

/** The values of {@linkcode limitFlags} as the options of a server. */
export function limitsOf(
  flags: FlagValues<typeof limitFlags>,
): Omit<ResolvedLimits, "frameTimeoutMs" | "maxUnfinishedBytes" | "maxUnreadBytes"> & {
  readonly drainTimeoutMs: number;
} {
  return {
    maxConnections: flags["max-connections"],
    idleTimeoutMs: flags["idle-timeout"],
    firstByteTimeoutMs: flags["first-byte-timeout"],
    maxPendingBytes: flags["max-pending"],
    maxMemoryBytes: maxMemoryOf(flags),
    drainTimeoutMs: flags["drain-timeout"],
  };
}

/** The share of the machine's memory that a server takes by default. */
const MACHINE_SHARE = 1 / 4;

/** The default where the machine's memory is not known. */
const DEFAULT_MEMORY_BYTES = 1_073_741_824;

/** What `--max-memory` asks for, or the machine permits. */
export function maxMemoryOf(flags: { readonly "max-memory": number | undefined }): number {
  const machine = machineMemoryBytes();
  return flags["max-memory"] ??
    (machine === undefined ? DEFAULT_MEMORY_BYTES : Math.floor(machine * MACHINE_SHARE));
}

/**
 * Says that a server serves, and where: on stderr, or with `--json` as the first object on stdout, and
 * to the service manager. Once it uses large memory, it gives that back as soon as it is free.
 */
export function announce(
  address: Address,
  { out, log, manager }: Context,
  json: boolean,
): void {
  const text = formatAddress(address);
  if (json) out.json({ type: "listening", address: text });
  else log.info(`listening on ${text}`);
  manager?.ready(`listening on ${text}`);
  onLargeMemory(giveLargeMemoryBack);
}

/** Waits until a server has ended; warns of connections that did not finish in time. */
export async function untilDrained(
  server: Pick<Server, "finished" | "forced">,
  { log }: Context,
): Promise<void> {
  await server.finished;
  if (server.forced === 0) return;
  log.warn(`${formatCount(server.forced, "connection")} did not finish in time`);
}

/**
 * Warns if `--max-connections` exceeds what the process may have open. Its default is warned of on
 * macOS alone, where compiled programs start with a limit of 256.
 */
export async function warnOfOpenFiles(
  flags: { readonly "max-connections": number },
  given: ReadonlySet<string>,
  { log }: Context,
  threads = 1,
): Promise<void> {
  if (!given.has("max-connections") && Deno.build.os !== "darwin") return;
  const { checkOpenFiles } = await importLater<typeof import("./open_files.ts")>(
    new URL("./open_files.ts", import.meta.url),
  );
  const problem = await checkOpenFiles(flags["max-connections"], { threads });
  if (problem !== undefined) log.warn(problem);
}

/**
 * Makes what tells of connections that could not be accepted: always if the server lacks something, at
 * most once a second; only with `-v` if the peer has left or failed the TLS handshake, because any peer
 * can do that as often as it likes.
 */
export function logAcceptFailures(log: Log): (error: ConnectionError) => void {
  const warnings = new RepeatedWarnings(log);
  return (error) => {
    // The advice of `describeError` is for the client's side.
    if (error.operation === "tls-handshake") log.detail(lowerFirst(error.message));
    else if (error.code === "reset") log.detail(describeError(error));
    else warnings.add(describeError(error), ACCEPT_WORDING);
  };
}

const ACCEPT_WORDING: Wording = {
  others: "cannot accept connections",
  first: (why) => why,
  more: (count, why) => `${formatCount(count, "more time")}: ${why}`,
};
