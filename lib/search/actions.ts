import { jsonFrame } from "../frame/frame_encoder.ts";
import type { OutgoingFrame, StreamedFrame } from "../frame/mod.ts";
import type { Peer } from "../net/mod.ts";
import { RequestError } from "../request/request_error.ts";
import type { Engine } from "./engine.ts";
import { SearchError } from "./error.ts";
import { MAX_SUGGESTIONS } from "./limits.ts";
import { inPieces, PIECEWISE_BYTES } from "./reply/in_pieces.ts";
import type { ReplyContent } from "./reply/replier.ts";
import { entryReply, putReply } from "./reply/replies.ts";
import {
  type ActionRequest,
  booleanField,
  numberField,
  putFields,
  textField,
} from "./request/fields.ts";
import type { ACTION_NAMES } from "./search_rights.ts";

/** The reply to an action; a large one is sent in pieces. */
export type ActionReplyFrame = OutgoingFrame | StreamedFrame;

/** Carries out an action and returns its reply. */
type Action = (request: ActionRequest, engine: Engine, client: Peer) =>
  | ActionReplyFrame
  | Promise<ActionReplyFrame>;

/**
 * The actions by name:
 *
 * | action | takes | replies with |
 * | --- | --- | --- |
 * | `search` | `value`, `limit`?, `offset`?, `exact`? | `result`, `exact`, `hits`, `total`, `totalExact`, `corrected`?, `relaxed`?, `also`? |
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

/** The actions that change entries: a client's are carried out in the order in which it asks. */
export const WRITES: ReadonlySet<string> = new Set(["put", "delete"]);

/** The reply to a search for the key of an entry that is too large for this thread. */
export async function exactLarge(
  key: string,
  engine: Engine,
  client: Peer,
): Promise<ActionReplyFrame> {
  const content = await engine.reply({ action: "exact", value: key }, client);
  // The entry may have been deleted since it was found.
  return content ? jsonContent(content, client) : await search({ value: key }, engine, client);
}

async function search(
  request: ActionRequest,
  engine: Engine,
  client: Peer,
): Promise<ActionReplyFrame> {
  const value = textField(request, "value");
  const limit = numberField(request, "limit") ?? 10;
  const offset = numberField(request, "offset") ?? 0;
  const exactly = booleanField(request, "exact") ?? false;
  const asked = { action: "search", value, limit, offset, exactly } as const;
  const content = await engine.reply(asked, client);
  return jsonContent(content!, client);
}

async function suggest(
  request: ActionRequest,
  engine: Engine,
  client: Peer,
): Promise<ActionReplyFrame> {
  const limit = Math.min(numberField(request, "limit") ?? 10, MAX_SUGGESTIONS);
  const value = textField(request, "value");
  const content = await engine.reply({ action: "suggest", value, limit }, client);
  return jsonContent(content!, client);
}

function get(
  request: ActionRequest,
  engine: Engine,
  client: Peer,
): ActionReplyFrame | Promise<ActionReplyFrame> {
  const key = textField(request, "value");
  const entry = engine.find(key);
  if (entry === undefined) throw notFound(key, engine.keysOf(key));
  return entry === "large" ? getLarge(key, engine, client) : jsonFrame(entryReply(entry));
}

async function getLarge(key: string, engine: Engine, client: Peer): Promise<ActionReplyFrame> {
  const content = await engine.reply({ action: "get", value: key }, client);
  if (content === undefined) throw notFound(key);
  return jsonContent(content, client);
}

async function put(
  request: ActionRequest,
  engine: Engine,
  client: Peer,
): Promise<OutgoingFrame> {
  const entry = putFields(request);
  await engine.put(entry, client);
  return jsonFrame(putReply(entry.key));
}

async function remove(
  request: ActionRequest,
  engine: Engine,
  client: Peer,
): Promise<OutgoingFrame> {
  const key = textField(request, "value");
  const deleted = await engine.delete(key, client);
  const result = deleted ? `Deleted '${key}'.` : `There was no '${key}'.`;
  return jsonFrame({ result, deleted });
}

async function stats(_request: ActionRequest, engine: Engine): Promise<OutgoingFrame> {
  const stats = await engine.stats();
  const result = `${stats.entries} entries, ${stats.searches} searches, ${stats.lookups} lookups`;
  return jsonFrame({ result, stats });
}

/** A reply whose content a worker has made. */
function jsonContent(content: ReplyContent, client: Peer): ActionReplyFrame {
  const header = { "content-type": "text/json", "content-encoding": "utf-8" };
  const isLarge = typeof content !== "string" && content.length >= PIECEWISE_BYTES;
  return isLarge ? inPieces(content, header, client) : { header, content };
}

/** @param others Keys of entries that have this one in their files. */
function notFound(key: string, others: readonly string[] = []): RequestError {
  const hint = others.length === 0 ? "" : ` alone; there are ${others.join(", ")}`;
  return new RequestError("not-found", `There is no entry with the key '${key}'${hint}`);
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

/** Where a client is told something else than the server's operator, such as no path of its files. */
const MESSAGES: Readonly<Partial<Record<string, string>>> = {
  "not-writable": "The server does not take changes of its entries",
  "index-full": "The server's disk is full; what was stored before is still there",
};

/** What a failed action is answered with; an error that is not for the client stays as it is. */
export function toRequestError(error: unknown): unknown {
  if (!(error instanceof SearchError) || !CLIENT_CODES.has(error.code)) return error;
  const message = MESSAGES[error.code] ?? error.message;
  return new RequestError(error.code, message, { cause: error });
}
