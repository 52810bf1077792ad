/**
 * socktool as a library: servers, clients and protocols over TCP, Unix sockets and TLS.
 *
 * - **Frames**: the codec of a 2-byte length, a JSON header and content of any size;
 *   {@linkcode FrameDecoder}, {@linkcode readMessages}. Alone, without I/O, it is
 *   `@socktool/socktool/frame`.
 * - **Network**: {@linkcode listen}, {@linkcode dial}, {@linkcode serveConnections}.
 * - **Messages**: request and response over frames; {@linkcode serveRequests},
 *   {@linkcode connectRequests}.
 * - **Search**: an engine and its handler for a message server; {@linkcode openSearch},
 *   {@linkcode searchHandler}.
 * - **Echo and load**: {@linkcode serveEcho}, {@linkcode runLoad}.
 * - **Publish/subscribe**: {@linkcode serveBroker}, {@linkcode connectBroker}.
 *
 * @example A protocol of your own.
 * ```ts
 * import { connectRequests, listen, parseAddress, serveRequests } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = await listen(parseAddress("127.0.0.1:0"));
 * await using server = serveRequests(listener, (request) => ({ content: request.text() + "!" }));
 * await using client = await connectRequests(server.address);
 * assertEquals((await client.request({ content: "hello" })).text(), "hello!");
 * ```
 *
 * @module
 */
export {
  ByteBuffer,
  ByteCache,
  ChunkDecoder,
  ContentError,
  DEFAULT_MAX_CONTENT_BYTES,
  encodeFrame,
  Frame,
  FrameDecoder,
  FrameDecoderStream,
  FrameEncoderStream,
  FrameError,
  HeaderCache,
  HOST_BYTE_ORDER,
  jsonFrame,
  MAX_HEADER_BYTES,
  NumberReader,
  readMessages,
  StreamedMessage,
  writeFrame,
} from "./lib/frame/mod.ts";
export type {
  ByteOrder,
  ContentErrorCode,
  FrameBatch,
  FrameDecoderOptions,
  FrameDecoderStreamOptions,
  FrameErrorCode,
  FrameErrorDetails,
  FrameHeader,
  FramePart,
  HeaderInit,
  NumberArrays,
  NumberType,
  OutgoingFrame,
  ReadMessagesOptions,
  TypedArrayOf,
} from "./lib/frame/mod.ts";
export {
  AddressError,
  byteStream,
  Connection,
  ConnectionError,
  DEFAULT_DIAL_TIMEOUT_MS,
  DEFAULT_LIMITS,
  dial,
  formatAddress,
  isLoopback,
  listen,
  parseAddress,
  parseHostPort,
  ReadBuffer,
  serveConnections,
  Server,
  SharedMemory,
  timerMs,
  WriteQueue,
} from "./lib/net/mod.ts";
export type {
  Address,
  AddressDefaults,
  ByteSink,
  ClientTls,
  CloseReason,
  ConnectionErrorCode,
  ConnectionLimits,
  ConnectionOperation,
  ConnectionService,
  DialOptions,
  Listener,
  ListenOptions,
  ResolvedLimits,
  ServeOptions,
  ServerObserver,
  ServerTls,
  TcpAddress,
  UnixAddress,
} from "./lib/net/mod.ts";
export {
  connectRequests,
  errorReply,
  exchange,
  RequestClient,
  RequestError,
  serveRequests,
} from "./lib/request/mod.ts";
export type {
  Answer,
  ExchangeOptions,
  ReplyInit,
  RequestClientOptions,
  RequestHandler,
  RequestObserver,
  RequestOptions,
  RequestServeOptions,
} from "./lib/request/mod.ts";
export { openSearch, SearchError, searchHandler, TUTORIAL_ENTRIES } from "./lib/search/mod.ts";
export type {
  BrokenRecord,
  DuplicateKey,
  IndexProgress,
  IndexSummary,
  SearchEngine,
  SearchEntry,
  SearchErrorCode,
  SearchErrorOptions,
  SearchHit,
  SearchObserver,
  SearchOptions,
  SearchQueryOptions,
  SearchResult,
  SearchStats,
  SkippedFile,
  Suggestion,
  SuggestOptions,
} from "./lib/search/mod.ts";
export { EchoError, exchangeEcho, serveEcho, serveEchoThreads } from "./lib/echo/mod.ts";
export type {
  EchoErrorCode,
  EchoExchangeOptions,
  EchoFigures,
  EchoObserver,
  EchoPeer,
  EchoResult,
  EchoServeOptions,
  EchoServer,
  EchoThreadsOptions,
} from "./lib/echo/mod.ts";
export {
  compareRuns,
  describePlan,
  LoadError,
  parseRun,
  patternBytes,
  renderReport,
  runLoad,
  runTutorialExchange,
  SavedRunError,
  saveRun,
  TUTORIAL_MESSAGES,
} from "./lib/load/mod.ts";
export type {
  ComparableRun,
  Comparison,
  EncodedLatencies,
  HistogramLibrary,
  Latencies,
  LatencyFigures,
  LoadErrorCounts,
  LoadErrorKind,
  LoadInterval,
  LoadObserver,
  LoadOptions,
  LoadPlan,
  LoadResult,
  LoadSettings,
  LoadSummary,
  SavedRun,
  TutorialExchangeObserver,
  TutorialExchangeOptions,
} from "./lib/load/mod.ts";
export {
  AuthFileError,
  Backoff,
  Broker,
  BrokerClient,
  ClientSubscription,
  connectBroker,
  duplexOf,
  FileAuthenticator,
  filterProblem,
  groupProblem,
  hashPassword,
  hashToken,
  parseAuthFile,
  Principal,
  PROTOCOL_VERSION,
  PUBSUB_RIGHTS,
  PubSubError,
  PubSubMessage,
  serveBroker,
  SLOW_POLICIES,
  topicProblem,
  verifyPassword,
} from "./lib/pubsub/mod.ts";
export type {
  Authenticator,
  AuthTable,
  BackoffOptions,
  BrokerClientOptions,
  BrokerConnection,
  BrokerObserver,
  BrokerOptions,
  BrokerRequestOptions,
  BrokerStats,
  BrokerTarget,
  ByeReason,
  ByteDuplex,
  ClientState,
  ClientStateChange,
  ConfirmOptions,
  ConnectBrokerOptions,
  Credentials,
  DuplexTarget,
  MissedPublications,
  Permission,
  PublishContent,
  PublishOptions,
  PubSubErrorCode,
  PubSubFailure,
  Refusal,
  RightsGrammar,
  SlowPolicy,
  SubscribeOptions,
  SubscriptionOwner,
} from "./lib/pubsub/mod.ts";
