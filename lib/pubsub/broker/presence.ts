import type { ByeReason } from "../protocol/codes.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { ConnectionSource } from "./broker_stats.ts";
import { encodeJson } from "./publications_in_turn.ts";

/** Where the broker tells who comes and goes. */
const CONNECTED = "_sys.connected";
const DISCONNECTED = "_sys.disconnected";

/** Why a connection ended: as the broker's `bye` says, closed by the client, or lost. */
export type EndReason = ByeReason | "closed" | "lost";

/** Tells those who may know that a client is there. */
export function tellConnected(core: BrokerCore, source: ConnectionSource): void {
  void tell(core, CONNECTED, () => {
    const { id, remote, name, user } = source.figures;
    return { id, remote, name, user };
  });
}

/**
 * Tells those who may know that a client has gone.
 *
 * @returns Resolves once they are told; `undefined` if nobody is to be.
 */
export function tellDisconnected(
  core: BrokerCore,
  source: ConnectionSource,
  reason: EndReason,
): Promise<void> | undefined {
  // Nobody is told of anything any more.
  if (reason === "shutdown") return undefined;
  return tell(core, DISCONNECTED, () => {
    const { id, remote, name, user, published, delivered, missed, openMs } = source.figures;
    return { id, remote, name, user, reason, published, delivered, missed, openMs };
  });
}

/** @returns `undefined` if nobody subscribes to the topic. */
function tell(core: BrokerCore, topic: string, value: () => unknown): Promise<void> | undefined {
  if (core.router.filters === 0) return undefined;
  const route = core.router.find(topic);
  if (route && route.subscriptions.length + route.groups.length === 0) return undefined;
  return core.inTurn.publish(topic, () => encodeJson(topic, value()));
}
