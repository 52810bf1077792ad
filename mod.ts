/**
 * socktool as a library: servers, clients and protocols over TCP, Unix sockets and TLS.
 *
 * This is what most programs need: request and response, and the client of publish/subscribe. Each
 * part has an entry point of its own with all that it has:
 *
 * - `./frame`: the codec of a 2-byte length, a JSON header and content of any size; it runs in a
 *   browser.
 * - `./net`: addresses, listening and dialling, connections, servers with limits.
 * - `./request`, `./request/client`: request and response over frames; the client alone runs in a
 *   browser.
 * - `./pubsub`, `./pubsub/client`: publish/subscribe, with its broker; the client alone runs in a
 *   browser.
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
import type {
  ClientTls,
  CloseReason,
  ConnectionLimits,
  ConnectionOperation,
  DialOptions,
  Handshakes,
  Listener,
  ListenOptions,
  ServeOptions,
  ServerObserver,
  ServerTls,
  TcpAddress,
  TlsProblem,
  UnixAddress,
  WebSocketAddress,
} from "./lib/net/mod.ts";
import type {
  ClientStreams,
  ConsumedMessage,
  ConsumeOptions,
  ConsumerInfo,
  Consumption,
  NackOptions,
  ReadFrom,
  Replay,
  ReplayOptions,
  StoredPublication,
  StoreOptions,
  StreamChange,
  StreamErrorCode,
  StreamInfo,
  StreamInit,
  StreamLimits,
  StreamMessage,
} from "./lib/pubsub/client/mod.ts";

export { Frame, FrameError, jsonFrame, NumberReader, NumberWriter } from "./lib/frame/mod.ts";
export { ConnectionError, formatAddress } from "./lib/net/mod.ts";
export {
  connectRequests,
  Reply,
  RequestClient,
  RequestError,
  serveRequests,
} from "./lib/request/mod.ts";
export { connectBroker } from "./lib/pubsub/connect_broker.ts";
export {
  BrokerClient,
  ClientSubscription,
  PubSubError,
  PubSubMessage,
} from "./lib/pubsub/client/mod.ts";

// What these refer to.
export type {
  ByteOrder,
  EncodedFrame,
  FrameErrorCode,
  FrameHeader,
  FrameInit,
  FramePart,
  HeaderInit,
  NumberArrays,
  NumberType,
  OutgoingFrame,
  StreamedFrame,
} from "./lib/frame/mod.ts";
export type { Address, ByteDuplex, ConnectionErrorCode, Peer, Server } from "./lib/net/mod.ts";
export type {
  ConnectRequestsOptions,
  ReplyError,
  ReplyInit,
  RequestClientOptions,
  RequestHandler,
  RequestObserver,
  RequestOptions,
  RequestServeOptions,
} from "./lib/request/mod.ts";
export type { BrokerTarget, ConnectBrokerOptions } from "./lib/pubsub/connect_broker.ts";
export type {
  BackoffOptions,
  BrokerClientOptions,
  ClientState,
  ClientStateChange,
  Confirmation,
  ConfirmOptions,
  Credentials,
  DuplexSource,
  MissedPublications,
  PublishContent,
  PublishOptions,
  PubSubErrorCode,
  PubSubFailure,
  RequestManyOptions,
  RequestOptions as BrokerRequestOptions,
  RespondOptions,
  SlowPolicy,
  SubscribeOptions,
  Will,
} from "./lib/pubsub/client/mod.ts";

/** What options of servers and clients, and errors, say of the network; `./net` has all of it. */
export declare namespace net {
  export {
    ClientTls,
    CloseReason,
    ConnectionLimits,
    ConnectionOperation,
    DialOptions,
    Handshakes,
    Listener,
    ListenOptions,
    ServeOptions,
    ServerObserver,
    ServerTls,
    TcpAddress,
    TlsProblem,
    UnixAddress,
    WebSocketAddress,
  };
}

/**
 * What publications are kept in, and how that is read and worked off: what
 * {@linkcode BrokerClient.streams}, `publishStored`, `replay` and `consume` take and give.
 */
export declare namespace streams {
  export {
    ClientStreams,
    ConsumedMessage,
    ConsumeOptions,
    ConsumerInfo,
    Consumption,
    NackOptions,
    ReadFrom,
    Replay,
    ReplayOptions,
    StoredPublication,
    StoreOptions,
    StreamChange,
    StreamErrorCode,
    StreamInfo,
    StreamInit,
    StreamLimits,
    StreamMessage,
  };
}
