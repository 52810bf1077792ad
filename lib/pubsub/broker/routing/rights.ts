import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { mayDo, nameProblem, STREAM_RIGHTS } from "../streams/stream_rights.ts";
import type { RightsGrammar } from "../../../access/mod.ts";
// Alone: only a broker that asks who its clients are needs the rest of the room.
import { Principal } from "../../../access/principal.ts";
import {
  filterCovers,
  filterProblem,
  filtersOverlap,
  INBOX_PREFIX,
  isInbox,
  isSystem,
} from "../../protocol/topic.ts";

/**
 * The rights that a broker checks, for `parseAuthFile`. The patterns of `publish` and `subscribe` are
 * filters of topics; `streams` says by name what may be done with each stream, `*` is all of them.
 */
export const PUBSUB_RIGHTS: RightsGrammar = {
  publish: filterProblem,
  subscribe: filterProblem,
  streams: {
    nameProblem: (name) => name === "*" ? undefined : nameProblem(name),
    words: STREAM_RIGHTS,
  },
};

/** A client of a broker without authentication. */
export const ANONYMOUS: Principal = new Principal("anonymous", {
  publish: { allow: [">", "_sys.>"], deny: [] },
  subscribe: { allow: [">", "_sys.connected", "_sys.disconnected", "_dead.>"], deny: [] },
  streams: { allow: STREAM_RIGHTS.map((right) => `*:${right}`), deny: [] },
});

/**
 * Whether a principal may publish on a topic. Everybody may publish to an inbox, which is where
 * replies go, unless `deny` names it.
 */
export function mayPublish(principal: Principal, topic: string): boolean {
  const { allow, deny } = principal.permission("publish");
  if (deny.some((filter) => filterCovers(filter, topic))) return false;
  return isInbox(topic) || allow.some((filter) => filterCovers(filter, topic));
}

/**
 * Whether a principal may subscribe to a filter: a filter in `allow` covers it, and none in `deny`
 * has a topic in common with it.
 */
export function maySubscribe(principal: Principal, filter: string): boolean {
  const { allow, deny } = principal.permission("subscribe");
  if (deny.some((denied) => filtersOverlap(denied, filter))) return false;
  return isInboxFilter(filter) || isOwnDeadLetters(principal, filter) ||
    allow.some((allowed) => filterCovers(allowed, filter));
}

/** Why a principal may not subscribe to a filter; `undefined` if it may. */
export function subscribeRefusal(principal: Principal, filter: string): Refusal | undefined {
  if (maySubscribe(principal, filter)) return undefined;
  const message = `${principal.name} may not subscribe to ${quote(filter)}`;
  return { code: "forbidden", message };
}

/** Whether a filter is of the dead letters of a stream that the principal may consume. */
function isOwnDeadLetters(principal: Principal, filter: string): boolean {
  if (!filter.startsWith("_dead.")) return false;
  const [, stream] = filter.split(".");
  return nameProblem(stream) === undefined && mayDo(principal, stream!, "consume");
}

/**
 * Whether a filter is of one inbox. An inbox has a random name that only its owner knows, so
 * whoever can name it may subscribe to it.
 */
function isInboxFilter(filter: string): boolean {
  if (!isSystem(filter)) return false;
  const [first, second] = filter.split(".");
  return `${first}.` === INBOX_PREFIX && second !== undefined && second !== "*" && second !== ">";
}
