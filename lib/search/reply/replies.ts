/**
 * The contents of the replies to actions: `result` for people, further fields for programs. They are
 * made on the thread that serves, and in the search workers.
 *
 * @module
 */
import { MAX_SHOWN_TITLE } from "../limits.ts";
import { parseQuery } from "../query/parse.ts";
import { beginningOf, highlightsIn } from "../query/snippet.ts";
import { WordMatcher } from "../query/word_matcher.ts";
import type { SearchEntry, SearchHit, SearchResult, Suggestion } from "../types.ts";

/** The content of a reply, before it is JSON. */
export type ActionReply = Readonly<Record<string, unknown>>;

/** The reply to `search`. @param value The query, as it was asked. */
export function searchReply(value: string, found: SearchResult): ActionReply {
  const { result = `No match for '${value}'.`, ...rest } = found;
  return { result, ...rest };
}

/** The reply to `search` for a key, without `limit` and `offset`: that entry alone. */
export function exactReply({ key, title, text }: SearchEntry): ActionReply {
  const [shown, snippet] = [shownTitle(title), beginningOf(text)];
  const matcher = new WordMatcher([parseQuery(key)]);
  const highlights = {
    title: highlightsIn(shown, matcher),
    snippet: highlightsIn(snippet, matcher),
  };
  const hit: SearchHit = { key, title: shown, score: 0, snippet, highlights };
  return { result: text, exact: true, hits: [hit], total: 1, totalExact: true };
}

/** The reply to `get`. */
export function entryReply(entry: SearchEntry): ActionReply {
  return { result: entry.text, entry };
}

/** The reply to `suggest`. */
export function suggestReply(suggestions: readonly Suggestion[]): ActionReply {
  return { result: suggestions.map(({ key }) => key), suggestions };
}

/** The reply to `put`. */
export function putReply(key: string): ActionReply {
  return { result: `Stored '${key}'.`, key };
}

/** A title as it is shown in a list: a very long one is cut off. */
export function shownTitle(title: string): string {
  return title.length > MAX_SHOWN_TITLE ? title.slice(0, MAX_SHOWN_TITLE).toWellFormed() : title;
}
