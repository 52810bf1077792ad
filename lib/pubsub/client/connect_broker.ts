import { openWebSocket, toWebSocketAddress } from "../../net/web_socket.ts";
import { BrokerClient } from "./broker_client.ts";
import {
  type BrokerClientOptions,
  checkClientOptions,
  type DuplexSource,
  type DuplexTarget,
} from "./client_options.ts";
import { isDuplex } from "./link/server_list.ts";

/**
 * Where a broker is, for a program that has WebSockets and no sockets: `ws://HOST:PORT/ws`, `wss:`,
 * or in a page `/ws` for the server that the page comes from; or a connection, or what makes one. Of
 * several servers in a list, the client connects to one.
 */
export type WebBrokerTarget =
  | string
  | URL
  | DuplexTarget
  | readonly (string | URL | DuplexSource)[];

/**
 * Connects to a broker over a WebSocket, or over a duplex of bytes. The first connection is tried
 * once on each server, or with `waitOnFirstConnect` until one is there. Unless the target is a single
 * connection, the client connects again whenever a connection is lost, and subscribes again to all
 * that it subscribed to.
 *
 * A WebSocket cannot be paused: a subscription whose program does not take its messages does at once
 * what `slow` says, and does not slow down publishers first.
 *
 * @param target The URL of a WebSocket; a connection; a function that makes one; or a list of URLs and
 * functions, one for each server, which are tried in turn.
 *
 * @example
 * ```ts
 * import { serveBroker } from "../mod.ts";
 * import { dial } from "../../net/mod.ts";
 * import { connectBroker, duplexOf } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await serveBroker("127.0.0.1:0");
 * await using client = await connectBroker(async () => duplexOf(await dial(broker.address)));
 * assertEquals(await client.publishConfirmed("nobody", "hi"), 0);
 * ```
 *
 * @throws {PubSubError} `unauthorized`, or what else the broker refused; `timed-out` if it does not
 * answer.
 * @throws {AddressError} if a text is no URL of a WebSocket.
 * @throws {ConnectionError} if no WebSocket can be opened.
 * @throws {TypeError | RangeError} if the target is none, `reconnect` or `waitOnFirstConnect` is given
 * with a single connection, or another option is not what it has to be.
 * @throws what the function rejects with.
 */
export async function connectBroker(
  target: WebBrokerTarget,
  options: BrokerClientOptions = {},
): Promise<BrokerClient> {
  checkClientOptions(options);
  const duplexes = duplexTarget(target);
  if (isDuplex(duplexes) && (options.reconnect || options.waitOnFirstConnect)) {
    throw new TypeError(
      "Cannot reconnect over a single connection: give a function that makes one",
    );
  }
  const client = new BrokerClient(duplexes, options);
  await client.start();
  return client;
}

function duplexTarget(target: WebBrokerTarget): DuplexTarget {
  if (isUrl(target)) return webSocketSource(target);
  if (!Array.isArray(target)) return target as DuplexTarget;
  return target.map((server) => isUrl(server) ? webSocketSource(server) : server);
}

function isUrl(target: unknown): target is string | URL {
  return typeof target === "string" || target instanceof URL;
}

function webSocketSource(text: string | URL): DuplexSource {
  const address = toWebSocketAddress(text);
  return (signal) => openWebSocket(address, { signal });
}
