import { type Address, dial, type DialOptions, toAddress } from "../net/mod.ts";
import {
  type BrokerClient,
  type BrokerClientOptions,
  connectBroker as connectOver,
  type DuplexTarget,
} from "./client/mod.ts";

/** Where a broker is: an address, the text of one, or a connection and what makes one. */
export type BrokerTarget = Address | string | DuplexTarget;

/** How to connect to a broker, and the client's limits. */
export interface ConnectBrokerOptions extends BrokerClientOptions, Pick<DialOptions, "tls"> {}

/**
 * Connects to a broker. The first connection is tried once; from then on the client connects again
 * whenever a connection is lost, and subscribes again to all that it subscribed to.
 *
 * @param target `HOST:PORT` or another address, a function that makes a connection, such as over a
 * WebSocket, or one connection, which cannot be made again.
 *
 * @example
 * ```ts
 * import { connectBroker } from "@socktool/socktool";
 * import { serveBroker } from "@socktool/socktool/pubsub";
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
 * @throws {PubSubError} `unauthorized`, or `timed-out` if the broker does not answer.
 * @throws {TypeError} if the target is none, `tls` is given without an address, or `reconnect` with
 * a single connection.
 */
export async function connectBroker(
  target: BrokerTarget,
  options: ConnectBrokerOptions = {},
): Promise<BrokerClient> {
  const { tls, ...clientOptions } = options;
  if (isDuplexTarget(target)) {
    // Ignoring it would send in the clear what was meant to be secret.
    if (tls) throw new TypeError("Cannot use tls without an address: make a connection with it");
    return await connectOver(target, clientOptions);
  }
  const address = toAddress(target);
  return await connectOver((signal) => dial(address, { tls, signal }), clientOptions);
}

function isDuplexTarget(target: BrokerTarget): target is DuplexTarget {
  return typeof target === "function" ||
    typeof target === "object" && target !== null && "read" in target;
}
