/** A peer that asks the broker about itself. */
import type { Broker } from "../../../lib/pubsub/mod.ts";
import { op, RawPeer } from "../support.ts";

/** Asks on a topic of the broker's; the answer's JSON. */
export async function ask(
  peer: RawPeer,
  topic: string,
  content = "",
): Promise<Record<string, unknown>> {
  await peer.send(op("pub", { topic, "reply-to": "_inbox.asker.1" }, content));
  return (await peer.frame()).json() as Record<string, unknown>;
}

/** A connection that such answers come to. */
export async function asker(broker: Broker): Promise<RawPeer> {
  const peer = await RawPeer.to(broker);
  await peer.sub("_inbox.asker.*");
  return peer;
}
