import { ErrorCodec, type PostedError } from "../base/threads/error_codec.ts";
import {
  type Address,
  AddressError,
  type CloseReason,
  ConnectionError,
  type ServerTls,
} from "../net/mod.ts";
import type { EchoFigures, EchoPeer } from "./echo_server.ts";
import type { EchoServeOptions } from "./serve_echo.ts";

/** Errors of the threads, of these classes above all. */
export const ERRORS: ErrorCodec = new ErrorCodec(ConnectionError, AddressError);

/** What a thread of an echo server is told to do. */
export type ThreadOrder =
  | { readonly type: "serve"; readonly job: ThreadJob }
  | { readonly type: "drain" }
  | { readonly type: "stop" };

/** A thread's part of the server. */
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
  /** What it reports besides figures: nothing that nobody listens to. */
  readonly report: { readonly peers: boolean; readonly bytes: boolean };
}

/** What a thread reports. */
export type ThreadReport =
  | { readonly type: "listening"; readonly address: Address }
  | { readonly type: "accept-failed"; readonly error: PostedError }
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

/** A peer as it crosses threads, whose clocks differ: its age stands for the time it came. */
export type SentPeer = Omit<EchoPeer, "openedAt"> & { readonly ageMs: number };

/** @param peer A connection of the thread that calls. */
export function sendPeer({ id, remote, readBytes, writtenBytes, openedAt }: EchoPeer): SentPeer {
  return { id, remote, readBytes, writtenBytes, ageMs: performance.now() - openedAt };
}

/** The ids of `threads` threads, each of which counts from 1, are made distinct. */
export function receivePeer(sent: SentPeer, thread: number, threads: number): EchoPeer {
  const { id, remote, readBytes, writtenBytes, ageMs } = sent;
  const openedAt = performance.now() - ageMs;
  return { id: (id - 1) * threads + thread + 1, remote, readBytes, writtenBytes, openedAt };
}
