import {
  appendFrame,
  ByteBuffer,
  type Frame,
  FrameDecoder,
  type FrameInit,
  jsonFrame,
} from "../../lib/frame/mod.ts";
import type { Principal } from "../../lib/access/mod.ts";
import type { Peer } from "../../lib/net/mod.ts";
import { RequestError, type RequestHandler } from "../../lib/request/mod.ts";
import { type Route, WebError, type WebReply, type WebRequest } from "../../lib/web/mod.ts";
import { WebPeer } from "../_web/web_peer.ts";

/** What the codes of the wire are in HTTP. Others are the server's own trouble. */
const STATUSES: Readonly<Record<string, number>> = {
  "bad-request": 400,
  "bad-json": 400,
  "bad-text": 400,
  "unauthorized": 401,
  "forbidden": 403,
  "not-writable": 403,
  "not-found": 404,
  "busy": 503,
  "over-budget": 503,
  "worker-died": 503,
  "closed": 503,
  "timeout": 504,
};

/** Loads too many for this moment: the client may ask again. */
const RETRY_AFTER = { "retry-after": "1" };

/**
 * The search app's actions over HTTP, for its page and for scripts. Each request goes to the handler
 * that answers those on sockets: it has the same rights, waits in the same line, and has the same
 * fields in its answer.
 */
export class SearchRoutes {
  readonly routes: readonly Route[] = [
    this.#route("/api/search", ({ url }) => ({
      action: "search",
      value: textOf(url, "q"),
      ...numbersOf(url, "limit", "offset"),
      ...flagOf(url, "exact"),
    })),
    this.#route("/api/suggest", ({ url }) => ({
      action: "suggest",
      value: textOf(url, "q"),
      ...numbersOf(url, "limit"),
    })),
    this.#route("/api/entry/:key", ({ params }) => ({ action: "get", value: params["key"] })),
    // Of a path, clients take `.` and `..` for folders.
    this.#route("/api/entry", ({ url }) => ({ action: "get", value: textOf(url, "key") })),
  ];
  /** What is said as long as requests are not answered. */
  starting = "The data are being indexed";
  readonly #principals = new WeakMap<Peer, Principal>();
  #handler: RequestHandler | undefined;

  /** From here on requests are answered. Before, they are told to come again. */
  serve(handler: RequestHandler): void {
    this.#handler = handler;
  }

  /** Who a peer is that came here: for the handler. */
  readonly principalOf = (peer: Peer): Principal | undefined => this.#principals.get(peer);

  /** Carries out an action for who asks, as its answer on the wire. @throws {WebError} if it fails. */
  async ask(request: WebRequest, action: Readonly<Record<string, unknown>>): Promise<Frame> {
    const handler = this.#handler;
    if (handler === undefined) throw new WebError(503, "starting", this.starting, RETRY_AFTER);
    const peer = new WebPeer(request);
    if (request.principal) this.#principals.set(peer, request.principal);
    try {
      // No answer of the search app is a stream.
      return frameOf(await handler(frameOf(jsonFrame(action)), peer) as FrameInit);
    } catch (error) {
      throw webErrorOf(error);
    }
  }

  #route(path: string, actionOf: (request: WebRequest) => Record<string, unknown>): Route {
    const answer = async (request: WebRequest): Promise<WebReply> => {
      const { content } = await this.ask(request, actionOf(request));
      const headers = { "content-type": "application/json; charset=utf-8" };
      return { status: 200, headers, body: content };
    };
    return { method: "GET", path, handle: answer };
  }
}

/** As it would come from a socket. */
function frameOf(frame: FrameInit): Frame {
  const buffer = new ByteBuffer();
  appendFrame(buffer, frame);
  const [decoded] = new FrameDecoder({ maxContentBytes: Infinity }).decode(buffer.view()).frames;
  return decoded!;
}

function webErrorOf(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  const status = STATUSES[error.code] ?? 500;
  return new WebError(status, error.code, error.message, status === 503 ? RETRY_AFTER : {});
}

function textOf({ searchParams }: URL, name: string): string {
  const text = searchParams.get(name);
  if (text !== null) return text;
  throw new WebError(400, "bad-request", `The parameter ${name} is missing`);
}

function numbersOf({ searchParams }: URL, ...names: readonly string[]): Record<string, number> {
  const given = names.filter((name) => searchParams.has(name));
  return Object.fromEntries(given.map((name) => {
    const text = searchParams.get(name)!;
    if (/^\d{1,15}$/.test(text)) return [name, Number(text)];
    throw new WebError(400, "bad-request", `The parameter ${name} must be a whole number from 0`);
  }));
}

function flagOf({ searchParams }: URL, name: string): Record<string, boolean> {
  const text = searchParams.get(name);
  if (text === null) return {};
  if (text === "true" || text === "false") return { [name]: text === "true" };
  throw new WebError(400, "bad-request", `The parameter ${name} must be true or false`);
}
