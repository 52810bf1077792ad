import type { ByeReason } from "../protocol/codes.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { ConnectionSource } from "./broker_stats.ts";

/** Where the broker tells who comes and goes. */
const CONNECTED = "_sys.connected";
const DISCONNECTED = "_sys.disconnected";

/** Why a connection ended: as the broker's `bye` says, closed by the client, or lost. */
export type EndReason = ByeReason | "closed" | "lost";

/** Tells those who may know that a client is there. */
export function tellConnected(core: BrokerCore, source: ConnectionSource): void {
  tell(core, CONNECTED, () => {
    const { id, remote, name, user } = source.figures;
    return { id, remote, name, user };
  });
}

/** Tells those who may know that a client has gone. */
export function tellDisconnected(
  core: BrokerCore,
  source: ConnectionSource,
  reason: EndReason,
): void {
  tell(core, DISCONNECTED, () => {
    const { id, remote, name, user, published, delivered, missed, openMs } = source.figures;
    return { id, remote, name, user, reason, published, delivered, missed, openMs };
  });
}

function tell(core: BrokerCore, topic: string, value: () => unknown): void {
  void core.publish(topic, value).then(() => void core.sendList.flush());
}
