/**
 * socktool as a library: servers, clients and protocols over TCP, Unix sockets and TLS.
 *
 * This is what most programs need: request and response, publish/subscribe, and the network below
 * them. Each part has an entry point of its own with all that it has:
 *
 * - `./frame`: the codec of a 2-byte length, a JSON header and content of any size; it runs in a
 *   browser.
 * - `./net`: addresses, listening and dialling, connections, servers with limits.
 * - `./request`, `./request/client`: request and response over frames; the client alone runs in a
 *   browser.
 * - `./pubsub`, `./pubsub/client`: publish/subscribe; the client alone runs in a browser.
 * - `./access`: who a client is: principals and the authentication file.
 * - `./pubsub/nats`: brokers as gateways of a NATS cluster.
 * - `./echo`, `./load`, `./search`, `./proxy`, `./capture`: the other roles of the program.
 * - `./web`: HTTP beside a server.
 *
 * @example A protocol of your own.
 * ```ts
 * import { connectRequests, serveRequests } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveRequests("127.0.0.1:0", (request) => request.text() + "!");
 * await using client = await connectRequests(server.address);
 * assertEquals((await client.request({ content: "hello" })).text(), "hello!");
 * ```
 *
 * @module
 */
export { EncodedFrame, encodeFrame, Frame, FrameError, jsonFrame } from "./lib/frame/mod.ts";
export { ConnectionError, dial, formatAddress, listen, parseAddress } from "./lib/net/mod.ts";
export {
  connectRequests,
  exchange,
  Reply,
  RequestClient,
  RequestError,
  serveRequests,
} from "./lib/request/mod.ts";
export {
  BrokerClient,
  ClientSubscription,
  connectBroker,
  PubSubError,
  PubSubMessage,
  SLOW_POLICIES,
} from "./lib/pubsub/mod.ts";

// What these refer to.
export type { FrameErrorCode, FramePart } from "./lib/frame/mod.ts";
export type * from "./lib/frame/frame_types.ts";
export type { AddressDefaults, ByteDuplex, Server } from "./lib/net/mod.ts";
export type * from "./lib/net/serving_types.ts";
export type { Credentials } from "./lib/access/mod.ts";
export type {
  Answer,
  ConnectRequestsOptions,
  ExchangeOptions,
  ReplyError,
  ReplyInit,
  RequestClientOptions,
  RequestHandler,
  RequestObserver,
  RequestOptions,
  RequestServeOptions,
} from "./lib/request/mod.ts";
export type {
  BackoffOptions,
  BrokerClientOptions,
  BrokerRequestOptions,
  BrokerTarget,
  ClientState,
  ClientStateChange,
  ClientStreams,
  Confirmation,
  ConfirmOptions,
  ConnectBrokerOptions,
  ConsumedMessage,
  ConsumeOptions,
  ConsumerInfo,
  Consumption,
  CredentialSource,
  DuplexSource,
  DuplexTarget,
  MissedPublications,
  MissedReason,
  NackOptions,
  PublishContent,
  PublishOptions,
  PubSubErrorCode,
  PubSubFailure,
  ReadFrom,
  Replay,
  ReplayOptions,
  RequestManyOptions,
  Responder,
  RespondOptions,
  SlowPolicy,
  StoredPublication,
  StoreOptions,
  StreamChange,
  StreamErrorCode,
  StreamInfo,
  StreamInit,
  StreamLimits,
  StreamMessage,
  SubscribeOptions,
  SubscriptionLimits,
  SubscriptionOwner,
  Will,
} from "./lib/pubsub/mod.ts";
