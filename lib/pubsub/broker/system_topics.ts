import type { Frame } from "../../frame/mod.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { BrokerConnection } from "./broker_stats.ts";
import { quote } from "../protocol/quote.ts";
import type { Requester } from "./requester.ts";
import type { FilterEntry } from "./routing/subscription.ts";

/** Of how many connections or filters is told where the request does not say. */
const DEFAULT_LIMIT = 100;

/** What is told on each topic. */
const ANSWERS: Readonly<Record<string, (core: BrokerCore, limit: number) => unknown>> = {
  "_sys.stats": (core) => core.figures.stats(),
  "_sys.connections": connections,
  "_sys.topics": topics,
};

/** A filter in figures. */
interface TopicFigures {
  readonly filter: string;
  /** Connections that subscribe to it alone. */
  readonly subscribers: number;
  /** Members by the group's name. */
  readonly groups: Readonly<Record<string, number>>;
}

/** Answers a publication to `_sys.…`: to its `reply-to`, in JSON. */
export function answerSystemTopic(
  requester: Requester,
  core: BrokerCore,
  frame: Frame,
  id: number | undefined,
): void {
  const { topic, "reply-to": replyTo } = frame.header;
  const answer = Object.hasOwn(ANSWERS, topic as string) ? ANSWERS[topic as string] : undefined;
  if (answer === undefined) {
    const known = Object.keys(ANSWERS).join(", ");
    const message = `The broker has nothing to say on ${quote(topic)}, only on ${known}`;
    return requester.refuse({ code: "bad-topic", message }, id);
  }
  if (typeof replyTo !== "string") {
    const message = `The field reply-to is missing: ${quote(topic)} is answered as a request is`;
    return requester.refuse({ code: "bad-field", message }, id);
  }
  if (id !== undefined) requester.outbox.control("ok", { id, receivers: 1 });
  core.publish(
    replyTo,
    { "content-type": "text/json" },
    JSON.stringify(answer(core, limitOf(frame))),
  );
}

/** Those for whom most waits first. */
function connections(core: BrokerCore, limit: number): { connections: BrokerConnection[] } {
  const all = core.figures.connections();
  all.sort((a, b) => b.pendingBytes - a.pendingBytes || a.id - b.id);
  return { connections: all.slice(0, limit) };
}

/** Those with the most subscribers and members first. */
function topics(core: BrokerCore, limit: number): { topics: TopicFigures[] } {
  const most: { entry: FilterEntry; count: number }[] = [];
  // There may be a million: only those that are told of are put in order.
  for (const entry of core.router.entries()) {
    const members = [...entry.groups?.values() ?? []].map((group) => group.members.length);
    const count = members.reduce((sum, number) => sum + number, entry.subscriptions.length);
    if (most.length === limit && count <= (most.at(-1)?.count ?? Infinity)) continue;
    const at = most.findIndex((other) => other.count < count);
    most.splice(at < 0 ? most.length : at, 0, { entry, count });
    if (most.length > limit) most.pop();
  }
  return {
    topics: most.map(({ entry: { filter, subscriptions, groups } }) => ({
      filter,
      subscribers: subscriptions.length,
      groups: Object.fromEntries(
        [...groups?.values() ?? []].map(({ name, members }) => [name, members.length]),
      ),
    })),
  };
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
