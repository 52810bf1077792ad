import type { Socket } from "node:net";
import { LaterModule } from "../base/import_later.ts";
import { checkClientTls, dial } from "../net/dial.ts";
import {
  type Address,
  AddressError,
  type ClientTls,
  ConnectionError,
  formatAddress,
  type TcpAddress,
  type UnixAddress,
} from "../net/mod.ts";
import { asciiHost, isWebSocket } from "../net/address.ts";
import { DialLimit } from "../net/dial_limit.ts";
import type { Trust } from "../net/node_tls.ts";
import { ConnSide } from "./conn_side.ts";
import { OwnReads } from "./own_reads.ts";
import type { Shared } from "./shared.ts";
import type { Side } from "./side.ts";
import { SocketSide } from "./socket_side.ts";

/** Loaded when a proxy starts that uses it, and not because a client comes. */
export const upstreamTls = new LaterModule(() => import("./upstream_tls.ts"));

/** An upstream, and how it is connected to. */
export interface Upstream {
  readonly address: TcpAddress | UnixAddress;
  readonly tls: ClientTls | undefined;
  /** What its certificate is checked by, in turn; first what the last certificate passed by. */
  trusts: readonly Trust[];
  readonly timeoutMs: number;
}

/**
 * Says how an upstream is connected to, and refuses one that could never be.
 *
 * @throws {AddressError} for a WebSocket, port 0, or a `serverName` that is no host name.
 * @throws {ConnectionError} for TLS on a Unix socket, and certificates that are none.
 */
export function upstreamAt(
  address: Address,
  tls: ClientTls | undefined,
  timeoutMs: number,
): Upstream {
  const text = formatAddress(address);
  if (isWebSocket(address)) {
    throw new AddressError(text, "a proxy hands on bytes: give the HTTP server's HOST:PORT");
  }
  if (address.transport === "tcp" && address.port === 0) {
    throw new AddressError(text, "port 0 is only for servers");
  }
  if (tls) checkClientTls(tls, address);
  if (tls && address.transport === "unix") {
    const cause = new Error("TLS on a Unix socket is not supported");
    throw new ConnectionError("connect", address, cause, "not-supported");
  }
  return { address, tls, trusts: trustsOf(tls), timeoutMs };
}

/** Certificates that are given are trusted in addition to the system's. */
function trustsOf({ insecure, caCerts }: ClientTls = {}): Trust[] {
  if (insecure || !caCerts?.length) return [{ insecure }];
  return [{ caCerts }, {}];
}

/**
 * Connects to the upstream of a proxy. Closes the socket if it takes too long, or is aborted.
 *
 * @param shared What all sides share.
 * @throws {ConnectionError} with operation `connect` or `tls-handshake`
 */
export async function dialUpstream(
  upstream: Upstream,
  signal: AbortSignal,
  shared: Shared,
): Promise<Side> {
  const { address, trusts, timeoutMs } = upstream;
  if (address.transport === "unix") {
    const conn = await dial(address, { timeoutMs, signal });
    return new ConnSide(conn, shared, address);
  }
  const [trust, other] = trusts;
  using limit = new DialLimit(timeoutMs, signal);
  try {
    return await dialTcp(upstream, address, trust!, limit, shared);
  } catch (error) {
    if (!other || !(error instanceof ConnectionError) || error.tlsProblem !== "untrusted") {
      throw error;
    }
    const side = await dialTcp(upstream, address, other, limit, shared);
    upstream.trusts = [other, trust!];
    return side;
  }
}

async function dialTcp(
  { tls }: Upstream,
  address: TcpAddress,
  trust: Trust,
  limit: DialLimit,
  shared: Shared,
): Promise<Side> {
  const reads = OwnReads.unconnected(shared);
  const { socket } = reads;
  socket.connect({ host: asciiHost(address.hostname), port: address.port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  limit.operation = "connect";
  const giveUp = () => reject(limit.signal.reason);
  limit.signal.addEventListener("abort", giveUp, { once: true });
  if (limit.signal.aborted) giveUp();
  socket.once("connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    if (!tls) return new SocketSide(reads);
    limit.operation = "tls-handshake";
    // The first step of a handshake takes up to a millisecond, and many connections may be there at once.
    await shared.turns.takeIfBusy();
    const serverName = asciiHost(tls.serverName ?? address.hostname);
    await upstreamTls.load();
    return await upstreamTls.module!.startUpstreamTls(reads, serverName, trust, limit.signal);
  } catch (cause) {
    destroyQuietly(socket);
    throw await limit.failure(address, cause);
  } finally {
    limit.signal.removeEventListener("abort", giveUp);
    socket.removeListener("error", reject);
  }
}

/** What the socket says after it was given up is of no interest. */
function destroyQuietly(socket: Socket): void {
  socket.on("error", () => {});
  socket.destroy();
}
