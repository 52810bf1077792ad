import { startNodeTls, type Trust } from "../net/node_tls.ts";
import { ConnSide } from "./conn_side.ts";
import type { OwnReads } from "./own_reads.ts";
import type { Side } from "./side.ts";
import { SocketConn } from "./socket_conn.ts";

/**
 * Makes TLS of a connection to an upstream. When that fails or is aborted, the connection is closed.
 *
 * @param serverName The name that its certificate must have.
 */
export async function startUpstreamTls(
  reads: OwnReads,
  serverName: string,
  trust: Trust,
  signal: AbortSignal,
): Promise<Side> {
  const conn = await startNodeTls(new SocketConn(reads), serverName, trust, signal);
  return new ConnSide(conn, reads.shared);
}
