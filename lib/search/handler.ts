import { concat } from "@std/bytes";
import { EncodedFrame, type Frame, jsonFrame, type OutgoingFrame } from "../frame/mod.ts";
import { type ReplyInit, RequestError, type RequestHandler } from "../request/mod.ts";
import type { Authenticator } from "../access/mod.ts";
import type { Connection } from "../net/mod.ts";
import {
  type ActionReply,
  type ActionRequest,
  ACTIONS,
  exactReply,
  toRequestError,
} from "./actions.ts";
import { ActionGate } from "./action_gate.ts";
import { ReplyCache } from "./reply_cache.ts";
import type { SearchEngine } from "./types.ts";

/** What the first bytes of a binary request are announced with, and how many are sent back. */
const BINARY_GREETING = new TextEncoder().encode("First 10 bytes of request: ");
const BINARY_BYTES = 10;

/**
 * The search role, as a handler for `serveRequests`: `text/json` requests are actions on the
 * engine, any other content is answered as in the well-known sockets tutorial. Exact lookups are
 * answered at once; everything else by the engine's workers, so that a costly search does not hold
 * up other connections.
 *
 * @example
 * ```ts
 * import { connectRequests, jsonFrame, listen, serveRequests } from "@socktool/socktool";
 * import { openSearch, searchHandler } from "@socktool/socktool/search";
 * import { assertEquals } from "@std/assert";
 *
 * await using engine = await openSearch();
 * const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
 * await using server = serveRequests(listener, searchHandler(engine));
 * await using client = await connectRequests(server.address);
 * const reply = await client.request(jsonFrame({ action: "search", value: "morpheus" }));
 * assertEquals((reply.json() as { result: string }).result, "Follow the white rabbit. 🐰");
 * ```
 */
export function searchHandler(
  engine: SearchEngine,
  { authenticator }: SearchHandlerOptions = {},
): RequestHandler {
  const replies = new ReplyCache();
  if (authenticator === undefined) {
    return (frame, connection) => handle(frame, connection, engine, replies);
  }
  const gate = new ActionGate(authenticator);
  const handleGated = (frame: Frame, connection: Connection): ReplyInit | Promise<ReplyInit> =>
    gate.hello(frame, connection) ?? handle(frame, connection, engine, replies, gate);
  return (frame, connection) => {
    const deciding = gate.deciding(connection);
    if (deciding === undefined) return handleGated(frame, connection);
    const go = () => handleGated(frame, connection);
    return deciding.then(go, go);
  };
}

/** Surroundings of a {@linkcode searchHandler}. */
export interface SearchHandlerOptions {
  /**
   * Finds out who a client is: each connection begins with the action `hello`, and may carry out the
   * actions that its right `actions` names. Without it, everybody may carry out all.
   */
  readonly authenticator?: Authenticator | undefined;
}

function handle(
  frame: Frame,
  connection: Connection,
  engine: SearchEngine,
  replies: ReplyCache,
  gate?: ActionGate,
): ReplyInit | Promise<ReplyInit> {
  const { header } = frame;
  if (header["content-type"] !== "text/json") {
    gate?.checkIdentified(connection);
    return binaryReply(frame);
  }
  // The hot path: a search for a key that was asked for before. In another encoding the same
  // bytes may be another request.
  const known = header["content-encoding"] === "utf-8"
    ? replies.find(frame, engine.generation)
    : undefined;
  if (known && gate?.permits(connection, "search") !== false) return known;
  gate?.checkIdentified(connection);
  const request = readRequest(frame);
  const { action, value } = request;
  if (typeof action === "string" && ACTIONS.has(action)) gate?.check(connection, action);
  const plain = action === "search" && typeof value === "string" &&
    request["limit"] === undefined && request["offset"] === undefined;
  const entry = plain ? engine.lookup(value) : undefined;
  if (!entry) return act(request, engine, connection);
  const reply = EncodedFrame.encode(jsonFrame(exactReply(entry)));
  if (header["content-encoding"] === "utf-8") replies.add(frame, reply);
  return reply;
}

function act(
  request: ActionRequest,
  engine: SearchEngine,
  connection: Connection,
): ReplyInit | Promise<ReplyInit> {
  const name = request["action"];
  if (typeof name !== "string") {
    throw new RequestError("bad-request", `The request's "action" must be a string`);
  }
  const action = ACTIONS.get(name);
  if (!action) return jsonFrame({ result: `Error: invalid action '${name}'.` });
  // What is there at once is answered at once: a promise would let the next requests come before
  // it is seen how large this answer is.
  try {
    const reply = action(request, engine, () => connection.signal);
    return reply instanceof Promise ? actLater(reply) : jsonFrame(reply);
  } catch (error) {
    throw toRequestError(error);
  }
}

async function actLater(reply: Promise<ActionReply>): Promise<ReplyInit> {
  try {
    return jsonFrame(await reply);
  } catch (error) {
    throw toRequestError(error);
  }
}

function readRequest(frame: Frame): ActionRequest {
  const request = frame.json();
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    throw new RequestError("bad-request", "The content is JSON, but not an object");
  }
  return request as ActionRequest;
}

function binaryReply(frame: Frame): OutgoingFrame {
  const first = frame.content.subarray(0, BINARY_BYTES);
  const content = concat([BINARY_GREETING, first]);
  return { header: { "content-type": "binary/custom-server-binary-type" }, content };
}
