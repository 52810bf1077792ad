import { checkGiven, checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { bytesOption, countOption, numericOptions } from "../../base/numeric_options.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { writeFrame } from "../../frame/frame_encoder.ts";
import { HeaderCache } from "../../frame/header.ts";
import type { Address, Listener, ListenOptions } from "../../net/mod.ts";
import { DEFAULT_LIMITS } from "../../net/limits.ts";
import { serveConnections, type ServeOptions, type Server } from "../../net/serve.ts";
import { serveOn, type ServeTarget } from "../../net/serve_on.ts";
import { streamTimeout } from "../../net/bytes/outgoing_stream.ts";
import { errorReply } from "./error_reply.ts";
import {
  RequestConnection,
  type RequestHandler,
  type RequestObserver,
  type ServiceSettings,
} from "./request_connection.ts";

/** Limits and surroundings of a request server. */
export interface RequestServeOptions extends ServeOptions {
  /** Requests with more content are refused. @default {16_777_216} */
  readonly maxContentBytes?: number | undefined;
  /** Requests with a larger header are refused. @default {65_535} */
  readonly maxHeaderBytes?: number | undefined;
  /**
   * Requests of one connection that may be at work at one time. There are fewer while requests, or
   * the answers to the last ones, are so large that together they take more than `maxPendingBytes`.
   *
   * @default {128}
   */
  readonly maxPipelined?: number | undefined;
  /**
   * The longest time that a stream which is the content of an answer may give nothing when asked
   * for bytes; `0` sets no limit.
   *
   * @default {60_000}
   */
  readonly streamTimeoutMs?: number | undefined;
  /** Is told what happens. */
  readonly observer?: RequestObserver | undefined;
}

const LIMITS = {
  maxPipelined: countOption(128, 1),
  maxPendingBytes: bytesOption(DEFAULT_LIMITS.maxPendingBytes),
};

const OBSERVER_KINDS: OptionKinds<RequestObserver> = {
  requestFailed: "function",
  frameFailed: "function",
};

/** Headers that the connections of a server remember together: 256 KiB. */
const SHARED_HEADERS = 1_024;

/** Serves on a listener, at once. */
export function serveRequests(
  listener: Listener,
  handler: RequestHandler,
  options?: RequestServeOptions,
): Server;
/** Listens on an address, or on what a text says, and serves there. */
export function serveRequests(
  address: Address | string,
  handler: RequestHandler,
  options?: RequestServeOptions & ListenOptions,
): Promise<Server>;
/**
 * Serves request and response over frames: each request is answered by one frame, in order, on a
 * connection that carries any number of them, pipelined or not. A listener is taken over. For an
 * address the result is a promise, and options of `listen` are taken too.
 *
 * A frame that is broken or too large is answered by one last error; then the connection ends.
 *
 * @example A protocol of your own: upper case.
 * ```ts
 * import { connectRequests, serveRequests } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveRequests(
 *   "127.0.0.1:0",
 *   (request) => request.text().toUpperCase(),
 * );
 * await using client = await connectRequests(server.address);
 * const reply = await client.request("hello");
 * assertEquals(reply.text(), "HELLO");
 * ```
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be, or the handler no function.
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export function serveRequests(
  target: ServeTarget,
  handler: RequestHandler,
  options: RequestServeOptions & ListenOptions = {},
): Server | Promise<Server> {
  return serveOn(target, options, (listener, rest) => serveOnListener(listener, handler, rest));
}

function serveOnListener(
  listener: Listener,
  handler: RequestHandler,
  options: RequestServeOptions,
): Server {
  checkOptions(options, { signal: "signal", observer: OBSERVER_KINDS });
  checkGiven("handler", handler, "function");
  const settings: ServiceSettings = {
    ...numericOptions(LIMITS, options),
    handler,
    observer: options.observer ?? {},
    headerCache: new HeaderCache(SHARED_HEADERS),
    maxContentBytes: options.maxContentBytes,
    maxHeaderBytes: options.maxHeaderBytes,
    streamTimeoutMs: streamTimeout(options.streamTimeoutMs),
  };
  // Wrong limits are the caller's error, not the first client's.
  new FrameDecoder(settings);
  return serveConnections(listener, {
    // What a conversation needs is made when it begins: most connections of a busy server are
    // idle. One that has not begun has nothing to finish when the server drains.
    async serve(connection) {
      if (await connection.read()) await new RequestConnection(connection, settings).serve();
      else await connection.finish("done", true);
    },
    async refuse(connection) {
      const message = "The server has too many connections";
      writeFrame(connection.output.buffer, errorReply("too-many-connections", message));
      await connection.finish("refused", false);
    },
  }, options);
}
