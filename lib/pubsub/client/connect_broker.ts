import { BrokerClient } from "./broker_client.ts";
import type { BrokerClientOptions, DuplexTarget } from "./client_options.ts";
import { isDuplex } from "./link/server_list.ts";

/**
 * Connects to a broker over a duplex of bytes. The first connection is tried once on each server,
 * or with `waitOnFirstConnect` until one is there. If the target is a function, or a list of them,
 * the client connects again whenever a connection is lost, and subscribes again to all that it
 * subscribed to.
 *
 * @param target A connection; a function that makes one: over a WebSocket, say; or a list of such
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
 * @throws {TypeError} if `reconnect` or `waitOnFirstConnect` is given with a single connection, or
 * another option will not do.
 * @throws what the function rejects with.
 */
export async function connectBroker(
  target: DuplexTarget,
  options: BrokerClientOptions = {},
): Promise<BrokerClient> {
  if (isDuplex(target) && (options.reconnect || options.waitOnFirstConnect)) {
    throw new TypeError(
      "Cannot reconnect over a single connection: give a function that makes one",
    );
  }
  const client = new BrokerClient(target, options);
  await client.start();
  return client;
}
