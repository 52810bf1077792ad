/** The most bytes of UTF-8 that a topic or a filter has. */
export const MAX_TOPIC_BYTES = 255;

/** The most tokens that a topic or a filter has. */
export const MAX_TOKENS = 32;

/** Topics below it are where replies go; any client may publish there. */
export const INBOX_PREFIX = "_inbox.";

/**
 * With it begins the first token of topics where clients of NATS get replies, where brokers are gateways
 * to it. It may go on, as in `_INBOX_alice.…`: so each user there may have inboxes of its own.
 */
const NATS_INBOX_PREFIX = "_INBOX";

/** Topics below it are answered by the broker itself. */
export const SYSTEM_PREFIX = "_sys.";

/** What stands in for the letters of a token: no dot, wildcard, white space or control. */
const FORBIDDEN = /[*>\s\p{Cc}]/u;

const SPACE = 0x20, STAR = 0x2a, DOT = 0x2e, GREATER = 0x3e, DELETE = 0x7f;

const encoder = new TextEncoder();

/**
 * What is wrong with a topic, as the end of a sentence; `undefined` if it is one. Topics are
 * tokens joined by dots: `orders.eu.new`.
 *
 * @example
 * ```ts
 * import { filterProblem, topicProblem } from "@socktool/socktool/pubsub";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(topicProblem("orders.eu"), undefined);
 * assertEquals(topicProblem("orders.*"), "a topic has no wildcard");
 * assertEquals(filterProblem("orders.*"), undefined);
 * ```
 */
export function topicProblem(topic: unknown): string | undefined {
  if (typeof topic !== "string") return "it must be a text";
  if (isPlainTopic(topic)) return undefined;
  return sizeProblem(topic) ?? tokensProblem(topic.split("."), false);
}

/** What is wrong with a filter: as a topic, but `*` is any one token, a final `>` one or more. */
export function filterProblem(filter: unknown): string | undefined {
  if (typeof filter !== "string") return "it must be a text";
  return sizeProblem(filter) ?? tokensProblem(filter.split("."), true);
}

/** What is wrong with the name of a group: it is one token. */
export function groupProblem(group: unknown): string | undefined {
  if (typeof group !== "string") return "it must be a text";
  if (group.includes(".")) return "it must be one token, without a dot";
  if (group === "*" || group === ">") return "it must not be a wildcard";
  return sizeProblem(group) ?? tokensProblem([group], false);
}

/** Whether a filter stands for more than the one topic that it spells. */
export function isWildcard(filter: string): boolean {
  return filter.includes("*") || filter.endsWith(">");
}

/** Whether the first token begins with `_`: such topics are reached only by filters that say it. */
export function isSystem(topic: string): boolean {
  return topic.startsWith("_");
}

/** Whether a topic is one where replies go. */
export function isInbox(topic: string): boolean {
  return topic.startsWith(INBOX_PREFIX) ||
    (topic.startsWith(NATS_INBOX_PREFIX) && topic.includes("."));
}

/** Whether every topic that `inner` matches is matched by `outer`. Both are valid filters. */
export function filterCovers(outer: string, inner: string): boolean {
  if (startsWithWildcard(outer) && isSystem(inner)) return false;
  const outerTokens = outer.split(".");
  const innerTokens = inner.split(".");
  for (let i = 0; i < outerTokens.length; i++) {
    const ours = outerTokens[i];
    const theirs = innerTokens[i];
    if (ours === ">") return theirs !== undefined;
    if (theirs === undefined || theirs === ">") return false;
    if (ours !== "*" && ours !== theirs) return false;
  }
  return outerTokens.length === innerTokens.length;
}

/** Whether some topic is matched by both filters. */
export function filtersOverlap(a: string, b: string): boolean {
  if (startsWithWildcard(a) && isSystem(b)) return false;
  if (startsWithWildcard(b) && isSystem(a)) return false;
  // A new stream's filters are compared with those of all others, 16,000: nothing is made of them.
  for (let i = 0, j = 0; i <= a.length || j <= b.length;) {
    if (i > a.length || j > b.length) return false;
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(j)];
    if (x === GREATER || y === GREATER) return true;
    if (x === STAR || y === STAR) {
      i = tokenEnd(a, i) + 1;
      j = tokenEnd(b, j) + 1;
      continue;
    }
    while (i < a.length && a.charCodeAt(i) !== DOT && a.charCodeAt(i) === b.charCodeAt(j)) {
      i++;
      j++;
    }
    if (!isTokenEnd(a, i) || !isTokenEnd(b, j)) return false;
    i++;
    j++;
  }
  return true;
}

/** Where the token ends that this place is in. */
function tokenEnd(text: string, at: number): number {
  const dot = text.indexOf(".", at);
  return dot < 0 ? text.length : dot;
}

function isTokenEnd(text: string, at: number): boolean {
  return at === text.length || text.charCodeAt(at) === DOT;
}

function startsWithWildcard(filter: string): boolean {
  return filter.startsWith("*") || filter === ">";
}

/**
 * Whether a text is a topic of ASCII: most are, and those of inboxes are checked once for each request,
 * for which this takes a tenth of the time.
 */
function isPlainTopic(text: string): boolean {
  const { length } = text;
  if (length > MAX_TOPIC_BYTES) return false;
  let tokens = 1;
  let tokenStart = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === DOT) {
      if (i === tokenStart) return false;
      tokens++;
      tokenStart = i + 1;
    } else if (unit <= SPACE || unit >= DELETE || unit === STAR || unit === GREATER) return false;
  }
  return tokenStart < length && tokens <= MAX_TOKENS;
}

function sizeProblem(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (!text.isWellFormed()) return "it is not valid Unicode";
  const bytes = text.length > MAX_TOPIC_BYTES ? text.length : encoder.encode(text).length;
  if (bytes <= MAX_TOPIC_BYTES) return undefined;
  return `it has more than ${MAX_TOPIC_BYTES} bytes`;
}

function tokensProblem(tokens: readonly string[], wildcards: boolean): string | undefined {
  if (tokens.length > MAX_TOKENS) return `it has more than ${MAX_TOKENS} tokens`;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token === "") return "a token between the dots is empty";
    if (token === "*" || token === ">") {
      if (!wildcards) return "a topic has no wildcard";
      if (token === ">" && i < tokens.length - 1) return "> stands only at the end";
    } else if (FORBIDDEN.test(token)) {
      return /[*>]/.test(token)
        ? "a wildcard stands alone in its token"
        : "it has white space or a control character";
    }
  }
  return undefined;
}
