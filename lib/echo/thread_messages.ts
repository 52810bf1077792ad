import { ErrorCodec, type PostedError } from "../base/threads/error_codec.ts";
import type { CloseReason, ServerTls } from "../net/mod.ts";
import { type Address, AddressError } from "../net/address.ts";
import { ConnectionError } from "../net/connection_error.ts";
import type { EchoFigures, EchoPeer } from "./echo_server.ts";
import type { EchoServeOptions } from "./serve_echo.ts";

/** Posts errors between the threads; those of these classes keep their class. */
export const ERRORS: ErrorCodec = new ErrorCodec(ConnectionError, AddressError);

/** What the calling thread tells a thread of an echo server to do. */
export type ThreadOrder =
  | { readonly type: "serve"; readonly job: ThreadJob }
  | { readonly type: "renew-tls"; readonly tls: ServerTls }
  | { readonly type: "drain" }
  | { readonly type: "stop" };

/** What one thread serves, and how. */
export interface ThreadJob {
  readonly address: Address;
  readonly tls: ServerTls | undefined;
  readonly limits: Pick<
    EchoServeOptions,
    | "maxConnections"
    | "maxMemoryBytes"
    | "idleTimeoutMs"
    | "firstByteTimeoutMs"
    | "drainTimeoutMs"
  >;
  /** What to report besides figures: only what an observer listens to. */
  readonly report: { readonly peers: boolean; readonly bytes: boolean };
}

/** What a thread reports to the calling thread. */
export type ThreadReport =
  | { readonly type: "listening"; readonly address: Address }
  | { readonly type: "accept-failed"; readonly error: PostedError }
  /** The answer to `renew-tls`, each in its turn. */
  | { readonly type: "renewed-tls"; readonly error: PostedError | undefined }
  | { readonly type: "opened"; readonly peer: SentPeer }
  | { readonly type: "received"; readonly peer: SentPeer; readonly bytes: Uint8Array }
  | {
    readonly type: "closed";
    readonly peer: SentPeer;
    readonly reason: CloseReason;
    readonly error: PostedError | undefined;
  }
  | { readonly type: "figures"; readonly figures: EchoFigures }
  | { readonly type: "finished"; readonly figures: EchoFigures; readonly forced: number };

/**
 * A peer, in the form in which it is posted. `performance.now()` counts from another moment in each
 * thread, so the age of the connection is posted instead of the time when it was opened.
 */
export type SentPeer = Omit<EchoPeer, "openedAt"> & { readonly ageMs: number };

/** Makes a peer of this thread ready to be posted. */
export function sendPeer({ id, remote, readBytes, writtenBytes, openedAt }: EchoPeer): SentPeer {
  return { id, remote, readBytes, writtenBytes, ageMs: performance.now() - openedAt };
}

/**
 * Makes a peer of what was posted. Every thread numbers its connections from 1; here they get ids that
 * are unique among all threads.
 *
 * @param thread The thread that posted it, from 0.
 * @param threads How many threads there are.
 */
export function receivePeer(sent: SentPeer, thread: number, threads: number): EchoPeer {
  const { id, remote, readBytes, writtenBytes, ageMs } = sent;
  const openedAt = performance.now() - ageMs;
  return { id: (id - 1) * threads + thread + 1, remote, readBytes, writtenBytes, openedAt };
}
