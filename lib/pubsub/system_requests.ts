import type { Frame } from "../frame/mod.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { BrokerConnection } from "./broker_stats.ts";
import { quote } from "./publication.ts";
import type { Session } from "./session.ts";

/** Connections that `_sys.connections` tells of where the request does not say. */
const DEFAULT_LIMIT = 100;

const KNOWN = "_sys.stats, _sys.connections";

/** Answers a publication to `_sys.…`: to its `reply-to`, in JSON. */
export function answerSystemRequest(
  session: Session,
  core: BrokerCore,
  frame: Frame,
  id: number | undefined,
): void {
  const { topic, "reply-to": replyTo } = frame.header;
  const answer = topic === "_sys.stats"
    ? core.stats()
    : topic === "_sys.connections"
    ? connections(core, limitOf(frame))
    : undefined;
  if (answer === undefined) {
    const message = `The broker has nothing to say on ${quote(topic)}, only on ${KNOWN}`;
    return session.refuse({ code: "bad-topic", message }, id);
  }
  if (typeof replyTo !== "string") {
    return session.refuse({ code: "bad-field", message: "The field reply-to is missing" }, id);
  }
  if (id !== undefined) session.outbox.control("ok", { id, receivers: 1 });
  core.publish(replyTo, { "content-type": "text/json" }, JSON.stringify(answer));
}

/** Those for whom most waits first. */
function connections(core: BrokerCore, limit: number): { connections: BrokerConnection[] } {
  const all = [...core.sessions.values()].map((session) => session.figures);
  all.sort((a, b) => b.pendingBytes - a.pendingBytes || a.id - b.id);
  return { connections: all.slice(0, limit) };
}

/** `{"limit": N}` in the content says how many. */
function limitOf(frame: Frame): number {
  try {
    const { limit } = frame.json() as { limit?: unknown };
    if (Number.isSafeInteger(limit) && (limit as number) >= 0) return limit as number;
  } catch {
    // No content, or none that says anything.
  }
  return DEFAULT_LIMIT;
}
