/** What the tests of clients share. */
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import { type Broker, serveBroker } from "../../../lib/pubsub/mod.ts";
import { deadline } from "../../support/deadline.ts";

/** Waits for reconnections that do not slow a test down. */
export const FAST = { firstMs: 20, longestMs: 100 };

/** Another broker on the port of one that has ended. */
export async function restart(broker: Broker): Promise<Broker> {
  return serveBroker(await listen(broker.address as TcpAddress));
}

/** The code of the error that a promise rejects with, or the error as text; "done" if it resolves. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return deadline(promise.then(() => "done", (error) => error.code ?? String(error)));
}
