import {
  type Address,
  type CloseReason,
  ConnectionError,
  type ConnectionErrorCode,
  type ConnectionOperation,
  type ServerTls,
} from "../net/mod.ts";
import type { EchoFigures, EchoPeer } from "./echo_server.ts";
import type { EchoServeOptions } from "./serve_echo.ts";

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
  | { readonly type: "failed" | "accept-failed"; readonly error: SentError }
  | { readonly type: "opened"; readonly peer: SentPeer }
  | { readonly type: "received"; readonly peer: SentPeer; readonly bytes: Uint8Array }
  | {
    readonly type: "closed";
    readonly peer: SentPeer;
    readonly reason: CloseReason;
    readonly error: SentError | undefined;
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

/** An error as it crosses threads: classes and codes would not. */
export interface SentError {
  readonly message: string;
  readonly code: string | undefined;
  readonly operation: ConnectionOperation | undefined;
  readonly address: Address | undefined;
  readonly cause: SentError | undefined;
}

/** Takes an error apart. */
export function sendError(error: unknown): SentError {
  const { message, code, operation, address, cause } = error as Partial<ConnectionError>;
  return {
    message: message ?? String(error),
    code,
    operation,
    address,
    cause: cause === undefined ? undefined : sendError(cause),
  };
}

/** Puts an error together again. */
export function receiveError(sent: SentError): Error {
  const { message, code, operation, address } = sent;
  const cause = sent.cause && receiveError(sent.cause);
  if (operation) {
    return new ConnectionError(operation, address, cause, code as ConnectionErrorCode);
  }
  const error = new Error(message, { cause });
  return code === undefined ? error : Object.assign(error, { code });
}
