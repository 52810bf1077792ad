import { STATUS_CODES } from "node:http";
// @ts-types="./ws.d.ts"
import { WebSocket } from "ws";
import type { WebSocketAddress } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";
import { ConnStream } from "./conn_stream.ts";
import { WEB_SOCKET_OPTIONS, WebSocketConn } from "./web_socket_conn.ts";

/**
 * Makes a WebSocket of a connection to an HTTP server. If that fails, or is aborted, the connection is
 * closed.
 *
 * @throws {ConnectionError} with operation `connect` if the server answers with anything else.
 */
export async function startWebSocket(
  conn: Deno.Conn,
  address: WebSocketAddress,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const { hostname, port, path } = address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const under = new ConnStream(conn);
  // TLS, if there is any, is below it: to the package all of them are without.
  const socket = new WebSocket(`ws://${host}:${port}${path}`, {
    ...WEB_SOCKET_OPTIONS,
    createConnection: () => under,
  });
  const opened = Promise.withResolvers<void>();
  socket.once("open", opened.resolve);
  socket.on("error", opened.reject);
  socket.once("unexpected-response", (_, { statusCode = 0 }: { readonly statusCode?: number }) => {
    const said = `${statusCode} ${STATUS_CODES[statusCode] ?? ""}`.trimEnd();
    const hint = statusCode === 404 ? "; WebSockets of socktool's servers are at /ws" : "";
    const cause = new Error(`the server answered ${said} and opened no WebSocket${hint}`);
    opened.reject(new ConnectionError("connect", address, cause, "failed"));
  });
  const abort = () => opened.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    await opened.promise;
    return new WebSocketConn(socket, under);
  } catch (error) {
    socket.terminate();
    under.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
