/** Every numeric option of the library is checked, with one wording, before anything is opened. */
import { assert, assertEquals } from "@std/assert";
import {
  ByteCache,
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
  type Recording,
  replayClient,
  serveReplay,
  watchFrames,
} from "../../lib/capture/mod.ts";
import { exchangeEcho, serveEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import {
  Backoff,
  type Broker,
  type BrokerClient,
  connectBroker,
  ConsumedMessage,
  openStreamStore,
  serveBroker,
} from "../../lib/pubsub/mod.ts";
import { connectNats } from "../../lib/pubsub/broker/nats/mod.ts";
import { connectBroker as connectBrokerOver } from "../../lib/pubsub/client/mod.ts";
import { connectRequests as connectRequestsOver } from "../../lib/request/client/mod.ts";
import { openWebSocket, toWebSocketAddress } from "../../lib/net/web_socket.ts";
import { serveWeb } from "../../lib/web/mod.ts";
import { openReader, openWriter } from "../../lib/sqlite/mod.ts";
import { valueKind } from "../../lib/base/value_kind.ts";
import { ROOT } from "../support/programs.ts";
import { SERVER_TLS } from "../support/tls.ts";
import { type NumericMember, numericMembers } from "./numeric_members.ts";

/** Options of any kind, one of them wrong. */
// deno-lint-ignore no-explicit-any
type Given = any;

/** Calls what takes the options of an interface. */
type Call = (given: Given) => unknown;

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 9 } as const;

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

const frames = (options: Given) => exchange(ADDRESS, [], options).next();
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

/** What takes each interface's numbers. */
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  "capture.RecorderOptions": [(options) => openRecorder({ path: FILE, ...options })],
  "capture.ReplayOptions": [
    (options) => replayClient(NOTHING_RECORDED, ADDRESS, options),
    (options) => serveReplay(NOTHING_RECORDED, listener(), options),
  ],
  "capture.WatchFramesOptions": [(options) => watchFrames({}, options)],
  "echo.EchoExchangeOptions": [echo],
  "echo.EchoServeOptions": [
    (options) => serveEcho(listener(), options),
    (options) => serveEchoThreads(ADDRESS, 2, options),
  ],
  "frame.FrameDecoderOptions": [
    (options) => new FrameDecoder(options),
    (options) => new FrameDecoderStream(options),
  ],
  "frame.ReadMessagesOptions": [(options) => readMessages(new Blob([]).stream(), options)],
  "load.LoadExchange": [
    (options) => load({ exchange: { open: () => opened("exchange"), ...options } }),
  ],
  "load.LoadPlan": [load],
  "load.TutorialExchangeOptions": [
    (options) => runTutorialExchange({ address: ADDRESS, connections: 1, ...options }),
  ],
  "net.AddressDefaults": [(defaults) => parseAddress("example.com", defaults)],
  "net.ConnectionLimits": serveBoth,
  "net.DialOptions": [(options) => dial(ADDRESS, options), connect, frames, echo],
  "net.ServeOptions": serveBoth,
  "net.WebSocketOptions": [
    (options) => openWebSocket(toWebSocketAddress(SOCKET), options),
    connectOver,
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
  "proxy.ProxyOptions": [(options) => serveProxy(ADDRESS, ADDRESS, options)],
  "pubsub.BrokerOptions": [(options) => serveBroker(listener(), options)],
  "pubsub.NackOptions": [(options) => messageToSettle().nack(options)],
  "pubsub.NatsBackplaneOptions": [(options) => connectNats(["localhost"], options)],
  "pubsub.StreamStoreOptions": [(options) => openStreamStore("/no/such/folder", options)],
  "request.ExchangeOptions": [frames],
  "request.RequestClientOptions": [connect, connectOver],
  "request.RequestServeOptions": [serveBoth[1]!],
  "search.SearchOptions": [(options) => openSearch({ ...options, index: FILE })],
  "web.Route": [
    (options) => serveWeb(listener(), { routes: [{ ...route, ...options }] }),
  ],
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
  return new ConsumedMessage(frame!, fields, { respond: done }, { settle: done });
}

/** Numbers of an interface that are taken from another, and of arguments that are no options. */
const FURTHER: readonly (readonly [string, readonly string[], Call])[] = [
  ["a cache", ["capacity"], ({ capacity }) => new ByteCache(capacity)],
  ["serveEchoThreads()", ["threads"], ({ threads }) => serveEchoThreads(ADDRESS, threads)],
  [
    "serveEcho()",
    ["maxConnections", "idleTimeoutMs", "maxAccepted", "drainTimeoutMs"],
    CALLS["echo.EchoServeOptions"]![0]!,
  ],
  [
    "serveEchoThreads()",
    ["maxConnections", "idleTimeoutMs", "drainTimeoutMs"],
    CALLS["echo.EchoServeOptions"]![1]!,
  ],
  ["exchange()", ["maxContentBytes", "maxPendingBytes", "streamTimeoutMs"], frames],
  [
    "serveBroker()",
    ["maxConnections", "drainTimeoutMs", "frameTimeoutMs"],
    CALLS["pubsub.BrokerOptions"]![0]!,
  ],
  ["runTutorialExchange()", ["connections"], CALLS["load.TutorialExchangeOptions"]![0]!],
];

/** Interfaces of which no user gives the numbers: results, messages and parts within the library. */
const NOT_OPTIONS: readonly string[] = [
  "frame.FrameErrorDetails",
  "load.EarlyEnd",
  "load.ExchangeOutcome",
  "load.LoadSettings",
  "load.LoadSummary",
  "load.ScheduleInit",
  "proxy.FaultSelectors",
  "pubsub.DeliveryFields",
  "pubsub.EngineOptions",
  "pubsub.RunPlace",
  "search.IndexJobOptions",
  "search.IndexWriterOptions",
  "search.ReadEntry",
  "search.ReadNote",
  "search.ReadingNote",
  "search.Replacements",
  "sqlite.SqliteErrorOptions",
];

/** Those that something takes which must be there: a client, an engine. */
const OF_LIVE: Readonly<Record<string, (live: Live) => readonly Call[]>> = {
  "pubsub.ConfirmOptions": ({ pubsub }) => [
    (options) => pubsub.publishConfirmed("topic", "", options),
  ],
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
  "search.SearchQueryOptions": ({ engine }) => [(options) => engine.search("ring", options)],
  "search.SuggestOptions": ({ engine }) => [(options) => engine.suggest("ring", options)],
  "drain()": ({ server, broker, pubsub }) =>
    [server, broker, pubsub].map((each) => ({ timeoutMs }) => each.drain(timeoutMs)),
};

/** What the options of single calls are given to. */
interface Live {
  readonly server: Server;
  readonly requests: RequestClient;
  readonly broker: Broker;
  readonly pubsub: BrokerClient;
  readonly engine: SearchEngine;
}

const VALUES: readonly unknown[] = [
  NaN,
  -1,
  -Infinity,
  null,
  "5",
  "",
  5n,
  true,
  [5],
  {},
  new Number(5),
  () => 5,
];

/** Options that are measures, of which there are fractions; of the others there are none. */
const HAS_FRACTIONS = /Ms$|PerSecond$|^speed$/;

class OpenedError extends Error {}

let openings: string[] = [];

function opened(what: string): never {
  openings.push(what);
  throw new OpenedError(`${what} was called`);
}

/** Refuses everything that opens something, while something is done. */
async function withoutOpening(work: () => Promise<void>): Promise<void> {
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

/** What is wrong with how a call refuses an option; `undefined` if it is right. */
async function problemOf(call: Call, name: string, value: unknown): Promise<string | undefined> {
  let thrown: unknown;
  try {
    const made = await call({ [name]: value });
    await (made as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.();
    openings = [];
    return "it is taken";
  } catch (error) {
    thrown = error;
  }
  if (openings.length > 0) return `something is opened: ${openings.splice(0).join()}`;
  const kind = typeof value === "number" ? RangeError : TypeError;
  if (!(thrown instanceof kind)) return `it throws ${thrown}`;
  const start = `Cannot use ${shown(value)} as ${name}: give a `;
  return thrown.message.startsWith(start) ? undefined : `it says: ${thrown.message}`;
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "bigint" ? `the bigint ${value}` : valueKind(value);
}

async function problemsOf(of: string, call: Call, name: string): Promise<string[]> {
  const problems: string[] = [];
  for (const value of [...VALUES, ...HAS_FRACTIONS.test(name) ? [] : [1.5]]) {
    const problem = await problemOf(call, name, value);
    if (problem) problems.push(`${of}: ${shown(value)} as ${name}: ${problem}`);
  }
  return problems;
}

function membersInLib(): NumericMember[] {
  const found: NumericMember[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
      const path = `${folder}/${name}`;
      if (isDirectory) visit(path);
      else if (name.endsWith(".ts")) {
        found.push(...numericMembers(path, Deno.readTextFileSync(`${ROOT}${path}`)));
      }
    }
  };
  visit("lib");
  return found;
}

Deno.test("every numeric option refuses what is no such number, before anything is opened", async () => {
  const members = membersInLib();
  assert(members.length > 40);
  const problems: string[] = [];
  for (const of of [...Object.keys(CALLS), ...NOT_OPTIONS]) {
    if (!members.some((member) => member.of === of)) problems.push(`${of} has no numbers`);
  }
  await withoutOpening(async () => {
    for (const { of, name } of members) {
      if (NOT_OPTIONS.includes(of) || Object.hasOwn(OF_LIVE, of)) continue;
      const calls = CALLS[of] ?? [];
      if (calls.length === 0) problems.push(`${of}: nothing is known to take its ${name}`);
      for (const call of calls) problems.push(...await problemsOf(of, call, name));
    }
    for (const [of, names, call] of FURTHER) {
      for (const name of names) problems.push(...await problemsOf(of, call, name));
    }
  });
  assertEquals(problems, []);
});

Deno.test("every numeric option of a single call does too, before anything is sent", async () => {
  await using stack = new AsyncDisposableStack();
  let asked = 0;
  const server = stack.use(
    serveRequests(await listen("127.0.0.1:0"), () => {
      asked++;
      return { content: "" };
    }),
  );
  const broker = stack.use(serveBroker(await listen("127.0.0.1:0")));
  const live: Live = {
    server,
    requests: stack.use(await connectRequests(server.address)),
    broker,
    pubsub: stack.use(await connectBroker(broker.address)),
    engine: stack.use(await openSearch({ workers: 1 })),
  };
  const problems: string[] = [];
  const members = [...membersInLib(), { of: "drain()", name: "timeoutMs" }];
  for (const { of, name } of members) {
    for (const call of OF_LIVE[of]?.(live) ?? []) {
      problems.push(...await problemsOf(of, call, name));
    }
  }
  assertEquals(problems, []);
  // They are all as they were.
  await live.requests.request({ content: "" });
  await live.pubsub.publishConfirmed("topic");
  assertEquals([asked, broker.stats().published, (await live.engine.stats()).searches], [1, 1, 0]);
});

Deno.test("numericMembers() finds the optional numbers of exported interfaces", () => {
  const text = `
    export interface A {
      readonly a?: number | undefined;
      b?: number;
      readonly c: number;
      readonly d?: string | undefined;
      e?(): number;
      readonly f?: undefined | string | number;
    }
    interface B { readonly a?: number }
  `;
  assertEquals(
    numericMembers("lib/room/a.ts", text),
    ["a", "b", "f"].map((name) => ({ of: "room.A", name })),
  );
});
