import { checkOptions } from "../base/option_kinds.ts";
import type { Address, ByteDuplex, DialOptions } from "../net/mod.ts";
import { toAddress } from "../net/address.ts";
import { dialFrames } from "../net/dial_frames.ts";
import type { BrokerClient, BrokerClientOptions, DuplexSource } from "./client/mod.ts";
import { connectBroker as connectOver } from "./client/connect_broker.ts";

/**
 * Where a broker is: an address, the text of one, or a connection and what makes one. Of several
 * servers in a list, the client connects to one.
 */
export type BrokerTarget =
  | Address
  | string
  | ByteDuplex
  | DuplexSource
  | readonly (Address | string | DuplexSource)[];

/** How to connect to a broker, and the client's limits. */
export interface ConnectBrokerOptions extends BrokerClientOptions, Pick<DialOptions, "tls"> {}

/**
 * Connects to a broker. The first connection is tried once on each server, or with
 * `waitOnFirstConnect` until one is there; from then on the client connects again whenever a
 * connection is lost, and subscribes again to all that it subscribed to.
 *
 * @param target `HOST:PORT` or another address, a function that makes a connection, such as over a
 * WebSocket, or one connection, which cannot be made again. Of a list of addresses and functions, one
 * for each server, the next is tried when there is no connection.
 *
 * @example
 * ```ts
 * import { connectBroker, serveBroker } from "@socktool/socktool/pubsub";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await serveBroker("127.0.0.1:0");
 * await using client = await connectBroker(broker.address);
 * await client.subscribe("math.square", {
 *   onMessage: (message) => message.respond(String(Number(message.text()) ** 2)),
 * });
 * const reply = await client.request("math.square", "12");
 * assertEquals(reply.text(), "144");
 * ```
 *
 * @throws {ConnectionError} if no connection can be made.
 * @throws {AddressError} if the text is no address.
 * @throws {PubSubError} `unauthorized`, or what else the broker refused; `timed-out` if it does not
 * answer.
 * @throws {TypeError} if the target is none, `tls` is given without an address, or `reconnect` or
 * `waitOnFirstConnect` with a single connection.
 */
export async function connectBroker(
  target: BrokerTarget,
  options: ConnectBrokerOptions = {},
): Promise<BrokerClient> {
  checkOptions(options, {});
  const { tls, ...clientOptions } = options;
  const isList = Array.isArray(target);
  const servers: readonly unknown[] = isList ? target : [target];
  if (tls && servers.some(isDuplexTarget)) {
    // Ignoring it would send in the clear what was meant to be secret.
    throw new TypeError("Cannot use tls without an address: make a connection with it");
  }
  if (!isList && isDuplexTarget(target)) return await connectOver(target, clientOptions);
  const sources = servers.map((server): DuplexSource => {
    if (typeof server === "function") return server as DuplexSource;
    const address = toAddress(server as Address | string);
    return (signal) => dialFrames(address, { tls, signal });
  });
  return await connectOver(sources, clientOptions);
}

function isDuplexTarget(target: unknown): target is ByteDuplex | DuplexSource {
  return typeof target === "function" ||
    typeof target === "object" && target !== null && "read" in target;
}
