/**
 * What takes the options of each interface of the library, for tests that give it wrong ones. Nothing
 * of it may open anything.
 *
 * @module
 */
import {
  encodeFrame,
  FrameDecoder,
  FrameDecoderStream,
  readMessages,
} from "../../lib/frame/mod.ts";
import {
  dial,
  listen,
  type Listener,
  parseAddress,
  serveConnections,
  type Server,
} from "../../lib/net/mod.ts";
import {
  connectRequests,
  exchange,
  type RequestClient,
  serveRequests,
} from "../../lib/request/mod.ts";
import {
  openRecorder,
  readCapture,
  type Recording,
  replayClient,
  serveReplay,
  viewOf,
  watchFrames,
} from "../../lib/capture/mod.ts";
import { exchangeEcho, serveEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { openSearch, type SearchEngine, searchHandler } from "../../lib/search/mod.ts";
import {
  Backoff,
  type Broker,
  type BrokerClient,
  checkStreamStore,
  connectBroker,
  ConsumedMessage,
  openStreamStore,
  repairStreamStore,
  serveBroker,
} from "../../lib/pubsub/mod.ts";
import { connectNats } from "../../lib/pubsub/broker/nats/mod.ts";
import { connectBroker as connectBrokerOver } from "../../lib/pubsub/client/mod.ts";
import { connectRequests as connectRequestsOver } from "../../lib/request/client/mod.ts";
import { openWebSocket, toWebSocketAddress } from "../../lib/net/web_socket.ts";
import { Metrics, serveWeb } from "../../lib/web/mod.ts";
import { openReader, openWriter } from "../../lib/sqlite/mod.ts";
import { SERVER_TLS } from "../support/tls.ts";

/** Options of any kind, one of them wrong. */
// deno-lint-ignore no-explicit-any
export type Given = any;

/** Calls what takes the options of an interface. */
export type Call = (given: Given) => unknown;

export const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 9 } as const;

const SOCKET = "ws://127.0.0.1:9/ws";

/** A file in a folder that does not exist: it cannot be opened. */
const FILE = "/no/such/folder/file.db";

/** A listener that must not be used. */
function listener(): Listener {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  const close = () => closed.reject(new Error("closed"));
  return {
    address: ADDRESS,
    secure: false,
    accept() {
      openings.push("accept");
      return closed.promise;
    },
    close,
    [Symbol.dispose]: close,
  };
}

export const frames = (options: Given) => exchange(ADDRESS, [], options).next();
const echo = (options: Given) => exchangeEcho(ADDRESS, new Blob(["x"]).stream(), options);
const load = (options: Given) => runLoad({ address: ADDRESS, ...options });
const serveBoth = [
  (options: Given) => serveConnections(listener(), { serve: () => opened("serve") }, options),
  (options: Given) => serveRequests(listener(), () => opened("handler"), options),
];
const connect = (options: Given) => connectRequests(ADDRESS, options);
const connectOver = (options: Given) => connectRequestsOver(SOCKET, options);
const schema = { applicationId: 1, migrations: [] };
const write = (options: Given) => openWriter(FILE, { ...options, schema });

const route = { method: "GET", path: "/", handle: () => opened("route") as never } as const;

/** What takes the options of each interface. */
export const CALLS: Readonly<Record<string, readonly Call[]>> = {
  "access.Credentials": [
    (credentials) => connectBroker(ADDRESS, { credentials }),
    (credentials) => connectBrokerOver(SOCKET, { credentials }),
  ],
  "capture.RecorderOptions": [(options) => openRecorder({ path: FILE, ...options })],
  "capture.FrameObserver": [(observer) => watchFrames(observer)],
  "capture.FrameViewOptions": [(options) => viewOf({} as Given, options)],
  "capture.ReadCaptureOptions": [
    (options) => readCapture({ read: () => opened("read") }, {} as Given, options),
  ],
  "capture.ReplayOptions": [
    (options) => replayClient(NOTHING_RECORDED, ADDRESS, options),
    (options) => serveReplay(NOTHING_RECORDED, listener(), options),
  ],
  "capture.WatchFramesOptions": [(options) => watchFrames({}, options)],
  "echo.EchoExchangeOptions": [echo],
  "echo.EchoObserver": [
    (observer) => serveEcho(listener(), { observer }),
    (observer) => serveEchoThreads(ADDRESS, 2, { observer }),
  ],
  "echo.EchoServeOptions": [
    (options) => serveEcho(listener(), options),
    (options) => serveEchoThreads(ADDRESS, 2, options),
  ],
  "frame.FrameDecoderStreamOptions": [(options) => new FrameDecoderStream(options)],
  "frame.FrameDecoderOptions": [
    (options) => new FrameDecoder(options),
    (options) => new FrameDecoderStream(options),
  ],
  "frame.ReadMessagesOptions": [(options) => readMessages(new Blob([]).stream(), options)],
  "load.LoadExchange": [
    (options) => load({ exchange: { open: () => opened("exchange"), ...options } }),
  ],
  "load.LoadObserver": [(observer) => load({ observer })],
  "load.LoadOptions": [load],
  "load.LoadPlan": [load],
  "load.TutorialExchangeObserver": [
    (observer) => runTutorialExchange({ address: ADDRESS, connections: 1, observer }),
  ],
  "load.TutorialExchangeOptions": [
    (options) => runTutorialExchange({ address: ADDRESS, connections: 1, ...options }),
  ],
  "net.ListenOptions": [(options) => listen(ADDRESS, options)],
  "net.ServerObserver": [
    (observer) => serveBoth[0]!({ observer }),
    (observer) => serveBoth[1]!({ observer }),
  ],
  "net.AddressDefaults": [(defaults) => parseAddress("example.com", defaults)],
  "net.ConnectionLimits": serveBoth,
  "net.DialOptions": [(options) => dial(ADDRESS, options), connect, frames, echo],
  "net.ServeOptions": serveBoth,
  "net.WebSocketOptions": [
    (options) => openWebSocket(toWebSocketAddress(SOCKET), options),
    connectOver,
  ],
  "net.ClientTls": [
    (tls) => dial(ADDRESS, { tls }),
    (upstreamTls) => serveProxy(ADDRESS, ADDRESS, { upstreamTls }),
  ],
  "net.ServerTls": [(options) => listen(ADDRESS, { tls: { ...SERVER_TLS, ...options } })],
  "base.BackoffOptions": [
    (options) => new Backoff(options),
    (options) => connectBroker(ADDRESS, { reconnect: options }),
  ],
  "pubsub.BrokerClientOptions": [
    (options) => connectBroker(ADDRESS, options),
    (options) => connectBrokerOver(SOCKET, options),
  ],
  "proxy.ProxyObserver": [(observer) => serveProxy(ADDRESS, ADDRESS, { observer })],
  "proxy.ProxyOptions": [(options) => serveProxy(ADDRESS, ADDRESS, options)],
  "pubsub.BrokerObserver": [(observer) => serveBroker(listener(), { observer })],
  "pubsub.Will": [(will) => connectBroker(ADDRESS, { will: { topic: "topic", ...will } })],
  "pubsub.BrokerOptions": [(options) => serveBroker(listener(), options)],
  "pubsub.NackOptions": [(options) => messageToSettle().nack(options)],
  "pubsub.NatsObserver": [(observer) => connectNats(["localhost"], { observer })],
  "pubsub.NatsBackplaneOptions": [(options) => connectNats(["localhost"], options)],
  "pubsub.StreamStoreCareOptions": [
    (options) => checkStreamStore("/no/such/folder", options),
    (options) => repairStreamStore("/no/such/folder", options),
  ],
  "pubsub.StreamStoreOptions": [(options) => openStreamStore("/no/such/folder", options)],
  "request.ExchangeOptions": [frames],
  "request.RequestClientOptions": [connect, connectOver],
  "request.RequestObserver": [(observer) => serveBoth[1]!({ observer })],
  "request.RequestServeOptions": [serveBoth[1]!],
  "search.SearchObserver": [(observer) => openSearch({ index: FILE, observer })],
  "search.SearchOptions": [(options) => openSearch({ index: FILE, ...options })],
  "web.Route": [
    (options) => serveWeb(listener(), { routes: [{ ...route, ...options }] }),
  ],
  "web.MetricsOptions": [(options) => new Metrics().route(options)],
  "web.SiteOptions": [(options) => serveWeb(listener(), options)],
  "web.WebObserver": [(observer) => serveWeb(listener(), { observer })],
  "web.WebServeOptions": [(options) => serveWeb(listener(), options)],
  "sqlite.ConnectionOptions": [(options) => openReader(FILE, options), write],
  "sqlite.WriterOptions": [write],
};

const NOTHING_RECORDED = { sessions: [], steps: [] } as unknown as Recording;

/** A message that was consumed, of no broker. */
function messageToSettle(): ConsumedMessage {
  const bytes = encodeFrame({ header: { op: "pub", topic: "topic", delivery: 1 } });
  const [frame] = new FrameDecoder().decode(bytes).frames;
  const done = () => Promise.resolve();
  const fields = {
    stream: "orders",
    seq: 1,
    time: 0,
    consumer: "billing",
    delivery: 1,
    attempt: 1,
  };
  return new ConsumedMessage(frame!, fields, { respond: done }, {
    settle: done,
    refused: (_kind, _message, error) => Promise.reject(error),
  });
}

/** Those that something takes which must be there: a client, an engine. */
export const OF_LIVE: Readonly<Record<string, (live: Live) => readonly Call[]>> = {
  "pubsub.ConfirmOptions": ({ pubsub }) => [
    (options) => pubsub.publishConfirmed("topic", "", options),
  ],
  "pubsub.PublishOptions": ({ pubsub }) => [
    (options) => pubsub.publish("topic", "", options),
    (options) => pubsub.publishConfirmed("topic", "", options),
    (options) => pubsub.request("topic", "", options),
  ],
  "pubsub.ReplayOptions": ({ pubsub }) => [(options) => pubsub.replay("name", options)],
  "pubsub.RequestManyOptions": ({ pubsub }) => [
    (options) => pubsub.requestMany("topic", "", options),
  ],
  "pubsub.SubscribeOptions": ({ pubsub }) => [(options) => pubsub.subscribe("topic", options)],
  "pubsub.StoreOptions": ({ pubsub }) => [
    (options) => pubsub.publishStored("topic", "", options),
  ],
  "pubsub.StreamLimits": ({ pubsub }) => [
    (options) => pubsub.streams.create("name", { topics: ["topic"], ...options }),
    (options) => pubsub.streams.update("name", options),
  ],
  "pubsub.StreamChange": ({ pubsub }) => [
    (options) => pubsub.streams.update("name", options),
  ],
  "pubsub.StreamInit": ({ pubsub }) => [
    (options) => pubsub.streams.create("name", { topics: ["topic"], ...options }),
  ],
  "pubsub.ConsumeOptions": ({ pubsub }) => [
    (options) => pubsub.consume("name", "consumer", options),
  ],
  "pubsub.RequestOptions": ({ pubsub }) => [(options) => pubsub.request("topic", "", options)],
  "request.RequestOptions": ({ requests }) => [
    (options) => requests.request({ content: "" }, options),
  ],
  "search.SearchHandlerOptions": ({ engine }) => [(options) => searchHandler(engine, options)],
  "search.SearchQueryOptions": ({ engine }) => [(options) => engine.search("ring", options)],
  "search.SuggestOptions": ({ engine }) => [(options) => engine.suggest("ring", options)],
  "drain()": ({ server, broker, pubsub }) =>
    [server, broker, pubsub].map((each) => ({ timeoutMs }) => each.drain(timeoutMs)),
};

/** What the options of single calls are given to. */
export interface Live {
  readonly server: Server;
  readonly requests: RequestClient;
  readonly broker: Broker;
  readonly pubsub: BrokerClient;
  readonly engine: SearchEngine;
}

class OpenedError extends Error {}

let openings: string[] = [];

function opened(what: string): never {
  openings.push(what);
  throw new OpenedError(`${what} was called`);
}

/** What was opened since the last look. */
export function takeOpenings(): string[] {
  return openings.splice(0);
}

/** Refuses everything that opens something, while something is done. */
export async function withoutOpening(work: () => Promise<void>): Promise<void> {
  const replaced: [Given, string][] = [
    ...["connect", "connectTls", "listen", "listenTls", "open", "makeTempDir", "mkdir"]
      .map((name): [Given, string] => [Deno, name]),
    [globalThis, "Worker"],
    [globalThis, "WebSocket"],
  ];
  const originals = replaced.map(([object, name]) => object[name]);
  for (const [object, name] of replaced) {
    // Not an arrow function: a constructor is among them.
    object[name] = function () {
      opened(name);
    };
  }
  openings = [];
  try {
    await work();
  } finally {
    for (const [i, [object, name]] of replaced.entries()) object[name] = originals[i];
  }
}
