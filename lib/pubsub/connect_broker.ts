import { BrokerClient } from "./client/broker_client.ts";
import type { BrokerClientOptions, BrokerTarget } from "./client/client_options.ts";

/**
 * Connects to a broker. The first connection is tried once; from then on the client connects again
 * by itself, with all its subscriptions.
 *
 * @param target An address, or a function that makes a connection: over a WebSocket, say.
 *
 * @example
 * ```ts
 * import { connectBroker, listen, serveBroker } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
 * await using broker = serveBroker(listener);
 * await using client = await connectBroker(broker.address);
 * await client.subscribe("math.square", {
 *   onMessage: (message) => message.respond(String(Number(message.text()) ** 2)),
 * });
 * const reply = await client.request("math.square", "12");
 * assertEquals(reply.text(), "144");
 * ```
 *
 * @throws {ConnectionError} if no connection can be made.
 * @throws {PubSubError} `unauthorized`, or `timed-out` if the broker does not answer.
 */
export async function connectBroker(
  target: BrokerTarget,
  options: BrokerClientOptions = {},
): Promise<BrokerClient> {
  const client = new BrokerClient(target, options);
  await client.start();
  return client;
}
