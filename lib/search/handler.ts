import { msOption, numericOption } from "../base/numeric_options.ts";
import { checkOptions } from "../base/option_kinds.ts";
import { concat } from "@std/bytes";
import { EncodedFrame } from "../frame/encoded_frame.ts";
import { jsonFrame } from "../frame/frame_encoder.ts";
import type { Frame, OutgoingFrame } from "../frame/mod.ts";
import type { ReplyInit, RequestHandler } from "../request/mod.ts";
import type { Authenticator, Principal } from "../access/mod.ts";
// Not the whole room: a server without logins starts without what checks passwords.
import { checkAuthenticator } from "../access/authenticator.ts";
import type { Peer } from "../net/mod.ts";
import { ACTIONS, exactLarge, toRequestError, WRITES } from "./actions.ts";
import { ActionGate } from "./action_gate.ts";
import { Engine } from "./engine.ts";
import { MAX_INLINE_BYTES } from "./limits.ts";
import { exactReply } from "./reply/replies.ts";
import { ReplyCache } from "./reply/reply_cache.ts";
import { type ActionRequest, requestObject, textField } from "./request/fields.ts";
import { PendingWrites } from "./pending_writes.ts";
import { LargeRequests } from "./request/large_requests.ts";
import type { SearchEngine } from "./types.ts";

/** What the first bytes of a binary request are announced with, and how many are sent back. */
const BINARY_GREETING = new TextEncoder().encode("First 10 bytes of request: ");
const BINARY_BYTES = 10;

const HELLO_TIMEOUT = msOption(10_000, 1);

/**
 * The search role, as a handler for `serveRequests`: `text/json` requests are actions on the
 * engine, any other content is answered as in the well-known sockets tutorial. Exact lookups are
 * answered at once. Everything else is done by the engine's workers: searches, large entries, and
 * parsing requests of more than 64 KiB, which must be a `put`. So nothing that one client asks for
 * keeps the others waiting.
 *
 * Give the server `maxContentBytes: engine.maxRequestBytes`, so that larger requests are refused
 * before they are read.
 *
 * @throws {TypeError} if the engine is not one that `openSearch` opened.
 *
 * @example
 * ```ts
 * import { connectRequests, jsonFrame, serveRequests } from "@socktool/socktool";
 * import { openSearch, searchHandler } from "@socktool/socktool/search";
 * import { assertEquals } from "@std/assert";
 *
 * await using engine = await openSearch();
 * await using server = await serveRequests("127.0.0.1:0", searchHandler(engine));
 * await using client = await connectRequests(server.address);
 * const reply = await client.request(jsonFrame({ action: "search", value: "morpheus" }));
 * assertEquals((reply.json() as { result: string }).result, "Follow the white rabbit. 🐰");
 * ```
 */
export function searchHandler(
  engine: SearchEngine,
  options: SearchHandlerOptions = {},
): RequestHandler {
  checkOptions(options, { principalOf: "function" });
  const { authenticator, principalOf } = options;
  checkAuthenticator(authenticator);
  const helloTimeoutMs = numericOption("helloTimeoutMs", options.helloTimeoutMs, HELLO_TIMEOUT);
  if (!(engine instanceof Engine)) {
    throw new TypeError("The search handler needs an engine that openSearch() opened");
  }
  const service: Service = {
    engine,
    replies: new ReplyCache(),
    large: new LargeRequests(engine),
    writes: new PendingWrites(),
  };
  if (authenticator === undefined) {
    return (frame, connection) => handle(frame, connection, service);
  }
  const gate = new ActionGate(authenticator, helloTimeoutMs, principalOf);
  const handleGated = (frame: Frame, connection: Peer): ReplyInit | Promise<ReplyInit> =>
    gate.hello(frame, connection) ?? handle(frame, connection, service, gate);
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
  /**
   * How long the authenticator may take over one `hello`. Its client is told then, and its connection
   * ends. @default {10_000}
   */
  readonly helloTimeoutMs?: number | undefined;
  /**
   * Who a peer is that something else has let in already, such as an HTTP server by a header. Such a
   * peer says no `hello`. `undefined` for all others.
   */
  readonly principalOf?: ((peer: Peer) => Principal | undefined) | undefined;
}

/** What the requests of one handler have in common. */
interface Service {
  readonly engine: Engine;
  readonly replies: ReplyCache;
  readonly large: LargeRequests;
  readonly writes: PendingWrites;
}

function handle(
  frame: Frame,
  connection: Peer,
  service: Service,
  gate?: ActionGate,
): ReplyInit | Promise<ReplyInit> {
  const { header } = frame;
  const { engine, replies, writes } = service;
  if (header["content-type"] !== "text/json") {
    gate?.checkIdentified(connection);
    return binaryReply(frame);
  }
  if (header["content-length"] > MAX_INLINE_BYTES) {
    gate?.check(connection, "put");
    return writes.add(connection, failingAs(service.large.answer(frame, connection)));
  }
  const pending = writes.of(connection);
  // The hot path: a search for a key that was asked for before. In another encoding the same
  // bytes may be another request.
  const isUtf8 = header["content-encoding"] === "utf-8";
  const known = isUtf8 && pending === undefined
    ? replies.find(frame, engine.generation)
    : undefined;
  if (known && gate?.permits(connection, "search") !== false) return known;
  gate?.checkIdentified(connection);
  const request = requestObject(frame.json());
  const { action } = request;
  if (typeof action === "string" && ACTIONS.has(action)) gate?.check(connection, action);
  if (pending !== undefined && !WRITES.has(action as string)) {
    return pending.then(() => answer(request, service, connection));
  }
  const reply = answer(request, service, connection);
  if (isUtf8 && reply instanceof EncodedFrame) replies.add(frame, reply);
  return reply;
}

/** Answers a request; a lookup that may be kept is an encoded frame. */
function answer(
  request: ActionRequest,
  service: Service,
  connection: Peer,
): ReplyInit | Promise<ReplyInit> {
  const { engine } = service;
  const { action, value } = request;
  const plain = action === "search" && typeof value === "string" &&
    request["limit"] === undefined && request["offset"] === undefined;
  const entry = plain ? find(value, engine) : undefined;
  if (entry === undefined) return act(request, service, connection);
  if (entry === "large") return failingAs(exactLarge(value as string, engine, connection));
  return EncodedFrame.encode(jsonFrame(exactReply(entry)));
}

function act(
  request: ActionRequest,
  { engine, large, writes }: Service,
  connection: Peer,
): ReplyInit | Promise<ReplyInit> {
  const name = textField(request, "action");
  const action = ACTIONS.get(name);
  if (!action) return jsonFrame({ result: `Error: invalid action '${name}'.` });
  const isWrite = WRITES.has(name);
  const before = isWrite ? large.before(connection) : undefined;
  // A reply that is there at once is returned at once: with a promise, the next requests would be
  // read before it is known how large this reply is.
  try {
    const reply = before === undefined
      ? action(request, engine, connection)
      : before.then(() => action(request, engine, connection));
    if (!(reply instanceof Promise)) return reply;
    const told = failingAs(reply);
    return isWrite ? writes.add(connection, told) : told;
  } catch (error) {
    throw toRequestError(error);
  }
}

function find(key: string, engine: Engine) {
  try {
    return engine.find(key);
  } catch (error) {
    throw toRequestError(error);
  }
}

/** Lets a reply fail with what the client may know. */
async function failingAs<R extends ReplyInit>(reply: Promise<R>): Promise<R> {
  try {
    return await reply;
  } catch (error) {
    throw toRequestError(error);
  }
}

function binaryReply(frame: Frame): OutgoingFrame {
  const first = frame.content.subarray(0, BINARY_BYTES);
  const content = concat([BINARY_GREETING, first]);
  return { header: { "content-type": "binary/custom-server-binary-type" }, content };
}
