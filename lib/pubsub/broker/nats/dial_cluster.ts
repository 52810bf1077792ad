import { type ClusterOptions, DIAL_TIMEOUT_MS } from "./cluster.ts";
import { connectFailure, type ServerFailure } from "./nats_error.ts";
import { NatsConnection, type NatsConnectionEvents } from "./wire/nats_connection.ts";
import type { ServerPool } from "./wire/server_pool.ts";

/**
 * Connects to a server of a cluster: tries each once, beginning behind the one that was connected to
 * last.
 *
 * @param noEcho Whether what is published on the connection does not come back.
 * @throws {NatsError} if none of them can be used.
 */
export async function dialCluster(
  pool: ServerPool,
  { tls, caCert, login, name }: ClusterOptions,
  noEcho: boolean,
  events: NatsConnectionEvents,
  signal: AbortSignal,
): Promise<NatsConnection> {
  const failures: ServerFailure[] = [];
  for (const server of pool.inTurn()) {
    try {
      const connection = await NatsConnection.open({
        address: server.address,
        tlsName: pool.nameOf(server),
        tls,
        caCert,
        login,
        name,
        noEcho,
        timeoutMs: DIAL_TIMEOUT_MS,
        signal,
        events,
      });
      pool.connected(server, connection.info!.connectUrls);
      return connection;
    } catch (cause) {
      failures.push({ server: server.text, cause });
      if (signal.aborted) break;
    }
  }
  throw connectFailure(failures);
}
