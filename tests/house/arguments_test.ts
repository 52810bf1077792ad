/** What a program gives of a wrong type is refused at once, and in words that say what it was. */
import { assert, assertEquals } from "@std/assert";
import {
  ChunkDecoder,
  EncodedFrame,
  encodeFrame,
  FrameDecoder,
  jsonFrame,
  NumberReader,
  NumberWriter,
  readMessages,
} from "../../lib/frame/mod.ts";
import {
  byteStream,
  dial,
  duplexOf,
  formatAddress,
  isLoopback,
  listen,
  networkOf,
  parseAddress,
  parseHostPort,
  serveConnections,
} from "../../lib/net/mod.ts";
import {
  connectRequests,
  errorReply,
  exchange,
  RequestClient,
  RequestError,
  serveRequests,
} from "../../lib/request/mod.ts";
import { connectBroker, openStreamStore, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectBroker as connectBrokerOver } from "../../lib/pubsub/client/mod.ts";
import { exchangeEcho } from "../../lib/echo/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import {
  loadRecording,
  parseFrameMatch,
  readCapture,
  recordListener,
  replayClient,
  SecretFilter,
  serveReplay,
  watchFrames,
} from "../../lib/capture/mod.ts";
import { parseThreshold, runLoad } from "../../lib/load/mod.ts";
import { backupIndex, checkIndex, openSearch, searchHandler } from "../../lib/search/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";

// deno-lint-ignore no-explicit-any
type Given = any;
type Call = (given: Given) => unknown;

/** By what is given: wrong values for it, and the call. */
type Calls = Readonly<Record<string, readonly [readonly unknown[], Call]>>;

const ANYWHERE = "127.0.0.1:0";
const NOWHERE = "127.0.0.1:9";
const STREAM = () => new Blob(["x"]).stream();
const FRAME = new FrameDecoder().decode(encodeFrame({ content: "12345678" })).frames[0]!;

const NO_OBJECTS: readonly unknown[] = [null, 5, "x", true, []];
/** A list has no options, and passes for none where publishing must be fast. */
const NOT_EVEN_LISTS = NO_OBJECTS.slice(0, 4);
const NO_TEXTS: readonly unknown[] = [undefined, null, 5, true, {}, [], () => "x"];
const NO_BYTES: readonly unknown[] = [undefined, null, 5, {}, [1], new Int16Array(2)];
const NO_FUNCTIONS: readonly unknown[] = [undefined, null, 5, "x", {}];
const NO_ADDRESSES: readonly unknown[] = [undefined, null, 5, true, {}, [], { transport: "tcp" }];

/** What is called, and what it is given one after the other. */
const CALLS: Calls = {
  "encodeFrame()": [NOT_EVEN_LISTS, encodeFrame],
  "EncodedFrame.encode()": [NOT_EVEN_LISTS, EncodedFrame.encode],
  "the fields of jsonFrame()": [NO_OBJECTS, (fields) => jsonFrame({}, fields)],
  "FrameDecoder.decode()": [NO_BYTES, (bytes) => new FrameDecoder().decode(bytes)],
  "ChunkDecoder.push()": [NO_BYTES, (bytes) => new ChunkDecoder().push(bytes)],
  "NumberReader": [NO_BYTES, (bytes) => new NumberReader(bytes, true)],
  "the byte order of NumberWriter": [[null, 1, "little"], (is) => new NumberWriter(is)],
  "the memory of NumberWriter": [NO_BYTES.slice(1), (bytes) => new NumberWriter(true, bytes)],
  "Frame.numbers()": [[...NO_TEXTS, "int7", "toString"], (type) => FRAME.numbers(type)],
  "readMessages()": [NO_OBJECTS, readMessages],
  "parseAddress()": [NO_TEXTS, (text) => parseAddress(text)],
  "the defaults of parseAddress()": [NO_OBJECTS, (defaults) => parseAddress(NOWHERE, defaults)],
  "the host of parseHostPort()": [NO_TEXTS, (host) => parseHostPort(host, "80")],
  "the port of parseHostPort()": [NO_TEXTS, (port) => parseHostPort("localhost", port)],
  "formatAddress()": [NO_ADDRESSES, formatAddress],
  "isLoopback()": [NO_ADDRESSES, isLoopback],
  "networkOf()": [NO_ADDRESSES, networkOf],
  "dial()": [NO_ADDRESSES, (address) => dial(address)],
  "the options of dial()": [NO_OBJECTS, (options) => dial(NOWHERE, options)],
  "the TLS of dial()": [NO_OBJECTS, (tls) => dial(NOWHERE, { tls })],
  "listen()": [NO_ADDRESSES, (address) => listen(address)],
  "the options of listen()": [NO_OBJECTS, (options) => listen(ANYWHERE, options)],
  "the TLS of listen()": [[...NO_OBJECTS, {}], (tls) => listen(ANYWHERE, { tls })],
  "byteStream()": [[...NO_OBJECTS, {}], byteStream],
  "duplexOf()": [[...NO_OBJECTS, {}], duplexOf],
  "serveConnections()": [[...NO_OBJECTS, {}], (service) => serveConnections(ANYWHERE, service)],
  "the handler of serveRequests()": [NO_FUNCTIONS, (handler) => serveRequests(ANYWHERE, handler)],
  "the options of serveRequests()": [
    NO_OBJECTS,
    (options) => serveRequests(ANYWHERE, () => "", options),
  ],
  "the observer of serveRequests()": [
    NO_OBJECTS,
    (observer) => serveRequests(ANYWHERE, () => "", { observer }),
  ],
  "connectRequests()": [NO_ADDRESSES, (address) => connectRequests(address)],
  "RequestClient": [[...NO_OBJECTS, {}, { read() {} }], (duplex) => new RequestClient(duplex)],
  "the requests of exchange()": [[undefined, ...NOT_EVEN_LISTS, {}, new Uint8Array(1)], (
    requests,
  ) => exchange(NOWHERE, requests).next()],
  "RequestError": [NO_TEXTS, (code) => new RequestError(code, "")],
  "errorReply()": [NO_TEXTS, (code) => errorReply(code, "")],
  "serveBroker()": [NO_ADDRESSES, (address) => serveBroker(address)],
  "the options of serveBroker()": [NO_OBJECTS, (options) => serveBroker(ANYWHERE, options)],
  "the authenticator of serveBroker()": [
    [...NO_OBJECTS, {}],
    (authenticator) => serveBroker(ANYWHERE, { authenticator }),
  ],
  "the streams of serveBroker()": [
    [...NO_OBJECTS, {}],
    (streams) => serveBroker(ANYWHERE, { streams }),
  ],
  "the backplane of serveBroker()": [
    [...NO_OBJECTS, {}],
    (backplane) => serveBroker(ANYWHERE, { backplane }),
  ],
  "connectBroker()": [
    [...NO_ADDRESSES, [null], [5], [NOWHERE, {}]],
    (target) => connectBroker(target),
  ],
  "the options of connectBroker()": [NO_OBJECTS, (options) => connectBroker(NOWHERE, options)],
  "the credentials of connectBroker()": [
    NO_OBJECTS,
    (credentials) => connectBroker(NOWHERE, { credentials }),
  ],
  "the will of connectBroker()": [NO_OBJECTS, (will) => connectBroker(NOWHERE, { will })],
  "how connectBroker() reconnects": [
    NO_OBJECTS,
    (reconnect) => connectBroker(NOWHERE, { reconnect }),
  ],
  "connectBroker() of a browser": [
    NO_ADDRESSES.filter((each) => !Array.isArray(each)),
    (target) => connectBrokerOver(target),
  ],
  "openStreamStore()": [NO_TEXTS, (folder) => openStreamStore(folder)],
  "the options of openStreamStore()": [
    NO_OBJECTS,
    (options) => openStreamStore("/no/such/folder", options),
  ],
  "the source of exchangeEcho()": [[...NO_OBJECTS, {}], (source) => exchangeEcho(NOWHERE, source)],
  "the options of exchangeEcho()": [
    NO_OBJECTS,
    (options) => exchangeEcho(NOWHERE, STREAM(), options),
  ],
  "serveProxy()": [NO_ADDRESSES, (address) => serveProxy(address, NOWHERE)],
  "the options of serveProxy()": [NO_OBJECTS, (options) => serveProxy(ANYWHERE, NOWHERE, options)],
  "openSearch()": [NO_OBJECTS, openSearch],
  "searchHandler()": [[...NO_OBJECTS, {}], (engine) => searchHandler(engine)],
  "backupIndex()": [NO_TEXTS, (path) => backupIndex(path, "/no/such/folder/copy.db")],
  "the copy of backupIndex()": [NO_TEXTS, (path) => backupIndex("/no/such/folder/i.db", path)],
  "checkIndex()": [NO_TEXTS, checkIndex],
  "the messages of runLoad()": [
    [null, 5, "x", {}, [5], [null], ["x", []]],
    (messages) => runLoad({ address: NOWHERE, messages }),
  ],
  "the answer of runLoad()": [
    [{ until: 5 }, { until: null }, { until: [10] }, { length: "u8", inclusive: "yes" }],
    (answer) => runLoad({ address: NOWHERE, answer }),
  ],
  "what runLoad() expects": [
    [null, 5, true, {}, []],
    (expect) => runLoad({ address: NOWHERE, answer: "close", expect }),
  ],
  "the exchange of runLoad()": [
    [null, 5, "x", {}, [], { open: 5 }, { module: 5 }, { module: null }],
    (exchange) => runLoad({ address: NOWHERE, exchange }),
  ],
  "the percentiles of runLoad()": [
    [null, 95, "95", {}, ["95"], [null]],
    (percentiles) => runLoad({ address: NOWHERE, percentiles }),
  ],
  "parseThreshold()": [NO_TEXTS, parseThreshold],
  "readCapture()": [[undefined, ...NO_OBJECTS, {}], (source) => readCapture(source, {} as Given)],
  "the observer of readCapture()": [
    [undefined, ...NO_OBJECTS],
    (observer) => readCapture({ read: () => Promise.resolve(null) }, observer),
  ],
  "loadRecording()": [[undefined, ...NO_OBJECTS, {}], loadRecording],
  "recordListener()": [
    [undefined, ...NO_OBJECTS],
    (listener) => recordListener(listener, {} as Given),
  ],
  "the recorder of recordListener()": [
    [undefined, ...NO_OBJECTS],
    (recorder) => recordListener({} as Given, recorder),
  ],
  "watchFrames()": [[undefined, ...NO_OBJECTS], (observer) => watchFrames(observer)],
  "parseFrameMatch()": [NO_TEXTS, parseFrameMatch],
  "replayClient()": [[undefined, ...NO_OBJECTS], (recording) => replayClient(recording, NOWHERE)],
  "the pace of replayClient()": [
    [null, 5, "fast", "", ["answers"]],
    (pace) => replayClient({ steps: [] } as Given, NOWHERE, { pace }),
  ],
  "serveReplay()": [[undefined, ...NO_OBJECTS], (recording) => serveReplay(recording, {} as Given)],
  "SecretFilter.filter()": [NO_BYTES, (bytes) => new SecretFilter().filter(bytes)],
  "the authenticator of serveWeb()": [
    [...NO_OBJECTS, {}],
    (authenticator) => serveWeb(ANYWHERE, { authenticator }),
  ],
};

/** Words in which the language itself complains of what it was given. */
const RAW = /is not a function|not iterable|\(reading|Cannot destructure|'in' operator/;

async function problemOf(call: Call, given: unknown): Promise<string | undefined> {
  try {
    const made = await call(given);
    await (made as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.();
    return "it is taken";
  } catch (error) {
    const isOurs = error instanceof TypeError && !RAW.test(error.message);
    return isOurs ? undefined : String(error);
  }
}

async function problemsOf(calls: Calls): Promise<string[]> {
  const problems: string[] = [];
  for (const [what, [values, call]] of Object.entries(calls)) {
    for (const value of values) {
      const problem = await problemOf(call, value);
      if (problem) problems.push(`${what}, given ${Deno.inspect(value)}: ${problem}`);
    }
  }
  return problems;
}

Deno.test("what is given of a wrong type is a TypeError in words of ours", async () => {
  assertEquals(await problemsOf(CALLS), []);
});

Deno.test("what a search engine is given of a wrong type is one too", async () => {
  await using engine = await openSearch({ writable: true });
  const entry = { key: "key", title: "", text: "" };
  assertEquals(
    await problemsOf({
      "lookup()": [NO_TEXTS, (key) => engine.lookup(key)],
      "get()": [NO_TEXTS, (key) => engine.get(key)],
      "search()": [NO_TEXTS, (query) => engine.search(query)],
      "suggest()": [NO_TEXTS, (prefix) => engine.suggest(prefix)],
      "delete()": [NO_TEXTS, (key) => engine.delete(key)],
      "put()": [[undefined, ...NO_OBJECTS, {}], (given) => engine.put(given)],
      "the text of put()": [NO_TEXTS, (text) => engine.put({ ...entry, text })],
      "the title of put()": [NO_TEXTS, (title) => engine.put({ ...entry, title })],
    }),
    [],
  );
});

Deno.test("what a broker's client is given of a wrong type is one too, and publishes nothing", async () => {
  await using broker = await serveBroker(ANYWHERE);
  await using client = await connectBroker(broker.address, { onError: () => {} });
  const calls: Calls = {
    "the options of publish()": [NOT_EVEN_LISTS, (options) => client.publish("topic", "", options)],
    "the fields of publish()": [NO_OBJECTS, (fields) => client.publish("topic", "", { fields })],
    "the options of confirm()": [NO_OBJECTS, (options) => client.confirm("topic", "", options)],
    "the options of publishStored()": [
      NO_OBJECTS,
      (options) => client.publishStored("topic", "", options),
    ],
    "the options of request()": [NOT_EVEN_LISTS, (options) => client.request("topic", "", options)],
    "the options of requestMany()": [
      NOT_EVEN_LISTS,
      (options) => client.requestMany("topic", "", options),
    ],
    "the options of subscribe()": [NO_OBJECTS, (options) => client.subscribe("topic", options)],
    "the stream of replay()": [NO_TEXTS, (stream) => client.replay(stream)],
    "the start of replay()": [
      [null, {}, [], true],
      (from) => client.replay("stream", { from }),
    ],
    "the stream of consume()": [NO_TEXTS, (stream) => client.consume(stream, "consumer")],
    "the consumer of consume()": [NO_TEXTS, (consumer) => client.consume("stream", consumer)],
    "the start of consume()": [
      [null, {}, [], true],
      (from) => client.consume("stream", "consumer", { from }),
    ],
    "the name of streams.create()": [
      NO_TEXTS,
      (name) => client.streams.create(name, { topics: ["topic"] }),
    ],
    "the settings of streams.create()": [
      [undefined, ...NO_OBJECTS],
      (settings) => client.streams.create("stream", settings),
    ],
    "the topics of streams.create()": [
      [null, 5, "topic", {}, [5]],
      (topics) => client.streams.create("stream", { topics }),
    ],
    "streams.backup()": [NO_FUNCTIONS, (onPart) => client.streams.backup(onPart)],
  };
  assertEquals(await problemsOf(calls), []);
  await client.publishConfirmed("topic");
  assertEquals(broker.stats().published, 1);
  assert(client.state === "connected");
});
