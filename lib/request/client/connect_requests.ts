import type { FrameInit } from "../../frame/mod.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import { openWebSocket, toWebSocketAddress, type WebSocketOptions } from "../../net/web_socket.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { RequestClient, type RequestClientOptions, resolveClientLimits } from "./request_client.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** How {@linkcode connectRequests} connects, and the limits of its client. */
export interface ConnectRequestsOptions extends WebSocketOptions, RequestClientOptions {
  /** A request that each connection begins with, such as a login. */
  readonly greeting?: FrameInit | undefined;
}

/**
 * Connects to a request server over a WebSocket, or takes over a duplex of bytes, and sends the
 * greeting, if there is one.
 *
 * @param target `ws://HOST:PORT/ws`, `wss:`, in a page also `/ws` for the server that it comes from; or
 * a connection.
 * @throws {AddressError} if a text is no URL of a WebSocket.
 * @throws {ConnectionError} with operation `connect`; with `read` if the greeting is not answered
 * within `timeoutMs`.
 * @throws {RequestError} what the answer to the greeting tells.
 * @throws {TypeError | RangeError} if an option is not what it has to be, the target none, or the
 * greeting nothing that can be sent.
 */
export async function connectRequests(
  target: string | URL | ByteDuplex,
  options: ConnectRequestsOptions = {},
): Promise<RequestClient> {
  const { greeting, signal } = options;
  const limits = resolveClientLimits(options);
  const timeoutMs = timerMs("timeoutMs", options.timeoutMs, DEFAULT_TIMEOUT_MS);
  let { remote } = options;
  let duplex: ByteDuplex;
  if (typeof target === "string" || target instanceof URL) {
    const address = toWebSocketAddress(target);
    remote ??= address;
    duplex = await openWebSocket(address, { timeoutMs, signal });
  } else duplex = target;
  const client = new RequestClient(duplex, { ...limits, remote });
  if (greeting === undefined) return client;
  try {
    await client.request(greeting, { timeoutMs, signal });
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
