import { BrokerClient } from "./broker_client.ts";
import type { BrokerClientOptions, DuplexTarget } from "./client_options.ts";

/**
 * Connects to a broker over a duplex of bytes. The first connection is tried once. If the target is
 * a function, the client connects again whenever a connection is lost, and subscribes again to all
 * that it subscribed to.
 *
 * @param target A connection, or a function that makes one: over a WebSocket, say.
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
 * @throws {PubSubError} `unauthorized`, or `timed-out` if the broker does not answer.
 * @throws {TypeError} if `reconnect` is given with a single connection.
 * @throws what the function rejects with.
 */
export async function connectBroker(
  target: DuplexTarget,
  options: BrokerClientOptions = {},
): Promise<BrokerClient> {
  if (typeof target !== "function" && options.reconnect) {
    throw new TypeError(
      "Cannot reconnect over a single connection: give a function that makes one",
    );
  }
  const client = new BrokerClient(target, options);
  await client.start();
  return client;
}
