import { RequestError } from "../request/mod.ts";
import { SearchError } from "./error.ts";
import { beginningOf } from "./query/snippet.ts";
import type { ACTION_NAMES } from "./search_rights.ts";
import type { SearchEngine, SearchEntry } from "./types.ts";

/** The content of a reply: `result` for people, further fields for programs. */
export type ActionReply = Readonly<Record<string, unknown>>;

/** A request's content: its `action`, its `value`, and what else the action takes. */
export type ActionRequest = Readonly<Record<string, unknown>>;

/** Does what an action asks for. */
type Action = (request: ActionRequest, engine: SearchEngine, signal: () => AbortSignal) =>
  | ActionReply
  | Promise<ActionReply>;

/**
 * The actions by name:
 *
 * | action | takes | replies with |
 * | --- | --- | --- |
 * | `search` | `value`, `limit`?, `offset`? | `result`, `exact`, `hits`, `total`, `totalExact`, `corrected`? |
 * | `suggest` | `value`, `limit`? | `result` (keys), `suggestions` (`key`, `title`) |
 * | `get` | `value` (the key) | `result` (the text), `entry` |
 * | `put` | `key`, `value` (the text), `title`? | `result`, `key` |
 * | `delete` | `value` (the key) | `result`, `deleted` |
 * | `stats` | | `result` (one line), `stats` |
 */
export const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>(
  Object.entries(
    { search, suggest, get, put, delete: remove, stats } satisfies Record<
      typeof ACTION_NAMES[number],
      Action
    >,
  ),
);

/** The reply to a search for an exact key without `limit` and `offset`: that entry alone. */
export function exactReply({ key, title, text }: SearchEntry): ActionReply {
  const snippet = beginningOf(text);
  const hits = [{ key, title, score: 0, snippet }];
  return { result: text, exact: true, hits, total: 1, totalExact: true };
}

async function search(
  request: ActionRequest,
  engine: SearchEngine,
  signal: () => AbortSignal,
): Promise<ActionReply> {
  const value = textField(request, "value");
  const limit = numberField(request, "limit");
  const offset = numberField(request, "offset");
  const found = await engine.search(value, {
    signal: signal(),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
  });
  const { result = `No match for '${value}'.`, ...rest } = found;
  return { result, ...rest };
}

async function suggest(
  request: ActionRequest,
  engine: SearchEngine,
  signal: () => AbortSignal,
): Promise<ActionReply> {
  const limit = numberField(request, "limit");
  const suggestions = await engine.suggest(textField(request, "value"), {
    signal: signal(),
    ...(limit === undefined ? {} : { limit }),
  });
  return { result: suggestions.map(({ key }) => key), suggestions };
}

function get(request: ActionRequest, engine: SearchEngine): ActionReply {
  const key = textField(request, "value");
  const entry = engine.lookup(key);
  if (!entry) throw new RequestError("not-found", `There is no entry with the key '${key}'`);
  return { result: entry.text, entry };
}

async function put(request: ActionRequest, engine: SearchEngine): Promise<ActionReply> {
  const key = textField(request, "key");
  const text = textField(request, "value");
  const title = request["title"] === undefined ? key : textField(request, "title");
  await engine.put({ key, title, text });
  return { result: `Stored '${key}'.`, key };
}

async function remove(request: ActionRequest, engine: SearchEngine): Promise<ActionReply> {
  const key = textField(request, "value");
  const deleted = await engine.delete(key);
  return { result: deleted ? `Deleted '${key}'.` : `There was no '${key}'.`, deleted };
}

async function stats(_request: ActionRequest, engine: SearchEngine): Promise<ActionReply> {
  const stats = await engine.stats();
  const result = `${stats.entries} entries, ${stats.searches} searches, ${stats.lookups} lookups`;
  return { result, stats };
}

function textField(request: ActionRequest, name: string): string {
  const value = request[name];
  if (typeof value === "string") return value;
  throw new RequestError("bad-request", `The request's "${name}" must be a string`);
}

function numberField(request: ActionRequest, name: string): number | undefined {
  const value = request[name];
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new RequestError("bad-request", `The request's "${name}" must be a whole number from 0`);
}

/** Codes whose message is for the client; the others are the server's own affair. */
const CLIENT_CODES: ReadonlySet<string> = new Set([
  "bad-entry",
  "not-writable",
  "busy",
  "timeout",
  "worker-died",
  "closed",
  "index-full",
]);

/** What a failed action is answered with; an error that is not for the client stays as it is. */
export function toRequestError(error: unknown): unknown {
  if (!(error instanceof SearchError) || !CLIENT_CODES.has(error.code)) return error;
  const message = error.code === "not-writable"
    ? "The server does not take changes of its entries"
    : error.message;
  return new RequestError(error.code, message, { cause: error });
}
