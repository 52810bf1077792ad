import type { Frame } from "../../frame/mod.ts";
import { inSteps, visitInParts } from "../../base/in_steps.ts";
import { TopList } from "../../base/top_list.ts";
import { quote } from "../protocol/quote.ts";
import { isInbox } from "../protocol/topic.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { BrokerConnection, ConnectionSource } from "./broker_stats.ts";
import type { Requester } from "./requester.ts";
import { publishRefusal } from "./routing/publications.ts";
import type { FilterEntry } from "./routing/subscription.ts";
import { isWholeNumber } from "../protocol/whole_number.ts";

/** How many connections or filters are listed: by default, and at most. */
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** How many groups are listed: of a filter, and of all together. */
const MAX_GROUPS = 100;
const MAX_ALL_GROUPS = 2_000;

/** An answer in the making: when the steps of `work` are done, `result` gives it. */
export interface Telling<T = unknown> {
  readonly work: () => boolean;
  readonly result: () => T;
}

/** What is told on each topic. */
const TELLINGS: Readonly<Record<string, (core: BrokerCore, limit: number) => Telling>> = {
  "_sys.stats": (core) => ({ work: () => true, result: () => core.figures.stats() }),
  "_sys.connections": tellConnections,
  "_sys.topics": tellTopics,
};

/** A filter in figures. */
export interface TopicFigures {
  /** What is subscribed to. */
  readonly filter: string;
  /** Connections that subscribe to it alone. */
  readonly subscribers: number;
  /** Members by the group's name, of up to 100 groups; of all topics together up to 2,000. */
  readonly groups: Readonly<Record<string, number>>;
  /** How many groups there are beyond these. */
  readonly "more-groups"?: number | undefined;
}

/**
 * Answers a publication to `_sys.…`: to its `reply-to`, in JSON. The answer is published on behalf of
 * who asked, so it goes only where that client may publish.
 */
export function answerSystemTopic(
  requester: Requester,
  core: BrokerCore,
  frame: Frame,
  id: number | undefined,
): void {
  const topic = frame.header["topic"] as string;
  const { "reply-to": replyTo } = frame.header;
  const tell = Object.hasOwn(TELLINGS, topic) ? TELLINGS[topic] : undefined;
  if (tell === undefined) {
    const known = Object.keys(TELLINGS).join(", ");
    const message = `The broker has nothing to say on ${quote(topic)}, only on ${known}`;
    return requester.refuse({ code: "bad-topic", message }, id);
  }
  if (typeof replyTo !== "string") {
    const message = `The field reply-to is missing: ${quote(topic)} is answered as a request is`;
    return requester.refuse({ code: "bad-field", message }, id);
  }
  const refusal = publishRefusal(requester.principal!, replyTo);
  if (refusal) return requester.refuse(refusal, id);
  if (id !== undefined) requester.outbox.control("ok", { id, receivers: 1 });
  requester.waitFor(answer(core, tell(core, limitOf(frame)), replyTo));
}

async function answer(core: BrokerCore, { work, result }: Telling, replyTo: string): Promise<void> {
  // A thousand clients may ask at once: they take turns.
  const turn = core.pause();
  if (turn) await turn;
  await inSteps(work, core.pause);
  await core.publish(replyTo, result);
}

/** The connections with the most pending bytes come first, then those that missed most. */
export function tellConnections(
  core: BrokerCore,
  limit: number,
): Telling<{ connections: BrokerConnection[] }> {
  const compare = (a: ConnectionSource, b: ConnectionSource) =>
    b.pendingBytes - a.pendingBytes || b.missed - a.missed || a.id - b.id;
  const most = new TopList<ConnectionSource>(limit, compare);
  return {
    work: visitInParts(core.figures.sources(), (source) => most.add(source)),
    result: () => ({
      connections: most.sorted().map(({ figures }) => figures),
    }),
  };
}

/**
 * Those with the most subscribers and members first. Nobody's inbox is among them: whoever knows its
 * name can publish there.
 */
export function tellTopics(core: BrokerCore, limit: number): Telling<{ topics: TopicFigures[] }> {
  const countOf = (entry: FilterEntry) => entry.subscribers + entry.members;
  const most = new TopList<FilterEntry>(
    limit,
    (a, b) => countOf(b) - countOf(a) || (a.filter < b.filter ? -1 : 1),
  );
  return {
    work: visitInParts(core.router.entries(), (entry) => {
      if (countOf(entry) > 0 && !isInbox(entry.filter)) most.add(entry);
    }),
    result: () => {
      let left = MAX_ALL_GROUPS;
      const topics = most.sorted().map((entry) => {
        const figures = topicFigures(entry, Math.min(MAX_GROUPS, left));
        left -= Object.keys(figures.groups).length;
        return figures;
      });
      return { topics };
    },
  };
}

function topicFigures(
  { filter, subscribers, groups }: FilterEntry,
  maxGroups: number,
): TopicFigures {
  const told: [string, number][] = [];
  for (const { name, members } of groups?.values() ?? []) {
    if (told.length === maxGroups) break;
    told.push([name, members.length]);
  }
  const more = (groups?.size ?? 0) - told.length;
  return {
    filter,
    subscribers,
    groups: Object.fromEntries(told),
    ...more > 0 && { "more-groups": more },
  };
}

/** `{"limit": N}` in the content says how many. */
function limitOf(frame: Frame): number {
  // A larger content means something else, and parsing it would take time.
  if (frame.end - frame.contentStart > 1_024) return DEFAULT_LIMIT;
  try {
    const { limit } = frame.json() as { limit?: unknown };
    if (isWholeNumber(limit)) return Math.min(limit, MAX_LIMIT);
  } catch {
    // No content, or none that can be used.
  }
  return DEFAULT_LIMIT;
}
