/** Whatever a client waits for, closing it ends that: no timer, and no promise, is left. */
import { assert, assertEquals } from "@std/assert";
import {
  type BrokerClient,
  type BrokerClientOptions,
  connectBroker,
  type DuplexSource,
} from "../../../lib/pubsub/mod.ts";
import { RequestClient } from "../../../lib/request/client/mod.ts";
import { until } from "../../support/deadline.ts";
import { codeOf, type Script, ScriptedDuplex } from "./support.ts";

/** Answers what a client says first, and subscriptions; other ops as given. */
function answers(others: Record<string, Record<string, unknown> | string> = {}): Script {
  return (op) => others[op] ?? (op === "hello" || op === "sub" ? { retained: 0 } : undefined);
}

/** A content of 5 bytes that gives one and hangs, or hangs at once. */
function hanging(given: number) {
  const content = new ReadableStream<Uint8Array>({
    start: (stream) => given > 0 ? stream.enqueue(new Uint8Array(given)) : undefined,
  });
  return { header: { "content-length": 5 }, content };
}

/** Tells, once a client is closed, what the promises are rejected with at that moment. */
function codesOf(promises: readonly Promise<unknown>[]): () => Promise<string[]> {
  const codes = promises.map(() => "pending");
  promises.forEach((promise, i) => void codeOf(promise).then((code) => codes[i] = code));
  return async () => {
    await nextTurn();
    return codes;
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A client in the middle of something. */
interface Busy {
  readonly client: BrokerClient;
  readonly duplex: ScriptedDuplex;
  /** Sends what is pending nowhere: the promise is to be rejected with `closed`. */
  readonly pending: Promise<unknown>[];
}

/** What a client may wait for while it is connected. */
const WAITS: Record<string, { script?: Script; begin: (busy: Busy) => unknown }> = {
  "nothing": { begin: () => {} },
  "an answer, with a limit in time": {
    begin: ({ client, pending }) =>
      pending.push(client.publishConfirmed("t", "", { timeoutMs: 60_000 })),
  },
  "to store something again": {
    script: answers({ pub: "unavailable" }),
    begin: async ({ client, duplex, pending }) => {
      pending.push(client.publishStored("t", "x"), client.publishStored("t", "x"));
      await until(() => duplex.ops.filter((op) => op === "pub").length === 2);
    },
  },
  "to read a stream, and to consume, again": {
    script: answers({ sub: "unavailable", consume: "unavailable" }),
    begin: async ({ client, duplex, pending }) => {
      pending.push(client.replay("s").next(), client.consume("s", "c").next());
      await until(() => duplex.ops.includes("sub") && duplex.ops.includes("consume"));
    },
  },
  "a reply": { begin: ({ client, pending }) => pending.push(client.request("t")) },
  "several replies": {
    begin: ({ client, pending }) => pending.push(client.requestMany("t").next()),
  },
  "a stream of content that gives nothing": {
    begin: ({ client, pending }) => {
      for (const given of [0, 1]) pending.push(client.publish("t", hanging(given)));
      pending.push(client.request("t", hanging(0)));
    },
  },
  "the rest of a stream of content": {
    begin: async ({ client, duplex, pending }) => {
      pending.push(client.publishConfirmed("t", hanging(1), { timeoutMs: 60_000 }));
      await until(() => duplex.bytes > 0);
    },
  },
  "its end in order": {
    begin: async ({ client, duplex, pending }) => {
      await client.subscribe("t");
      pending.push(client.drain(60_000));
      await until(() => duplex.ops.includes("unsub"));
    },
  },
  "a callback, while others have their turn": {
    begin: async ({ client, duplex }) => {
      let calls = 0;
      await client.subscribe("t", { onMessage: () => void calls++ });
      for (let i = 0; i < 2_000; i++) duplex.give({ op: "pub", topic: "t" });
      await until(() => calls > 0);
    },
  },
};

for (const [name, { script = answers(), begin }] of Object.entries(WAITS)) {
  Deno.test(`closing a client ends its wait for ${name}`, async () => {
    const duplex = new ScriptedDuplex(script);
    const client = await connectBroker(duplex, { onError: () => {} });
    const busy = { client, duplex, pending: [] };
    await begin(busy);
    const codes = codesOf(busy.pending);
    await client.close();
    for (const code of await codes()) assert(["closed", "disconnected"].includes(code), code);
  });
}

/** What a client may wait for until it is connected. */
const CONNECTING: Record<string, [DuplexSource, BrokerClientOptions?]> = {
  "the next try": [() => Promise.reject(new Error("nobody there")), { waitOnFirstConnect: true }],
  "a connection": [
    (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  ],
  "a connection whose maker heeds no signal": [() => new Promise(() => {})],
  "the broker's first answer": [() => Promise.resolve(new ScriptedDuplex(() => undefined))],
  "its credentials": [
    () => Promise.resolve(new ScriptedDuplex(answers())),
    { credentials: () => new Promise(() => {}) },
  ],
};

for (const [name, [source, options]] of Object.entries(CONNECTING)) {
  Deno.test(`closing a client that connects ends its wait for ${name}`, async () => {
    // The first connection, which a signal ends.
    const stop = new AbortController();
    const connecting = codeOf(connectBroker(source, { ...options, signal: stop.signal }));
    await nextTurn();
    stop.abort(new Error("enough"));
    assertEquals(await connecting, "Error: enough");
    // And a later one.
    const first = new ScriptedDuplex(answers());
    let isLost = false;
    const later: DuplexSource = (signal) => isLost ? source(signal) : Promise.resolve(first);
    const tried = Promise.withResolvers<void>();
    const client = await connectBroker(later, {
      reconnect: { firstMs: 1, longestMs: name === "the next try" ? 60_000 : 1 },
      connectTimeoutMs: 60_000,
      onState: ({ state }) => state === "reconnecting" && tried.resolve(),
      ...options,
      credentials: options?.credentials && (() => isLost ? new Promise(() => {}) : {}),
    });
    isLost = true;
    first.close();
    await tried.promise;
    for (let i = 0; i < 3; i++) await nextTurn();
    const codes = codesOf([client.publish("t")]);
    await client.close();
    assertEquals(await codes(), ["closed"]);
  });
}

/** What a client of `serveRequests` may wait for. */
const REQUESTS: Record<string, (client: RequestClient) => Promise<unknown>[]> = {
  "an answer": (client) => [client.request("x", { timeoutMs: 60_000 })],
  "room": (client) => [
    client.request("x", { timeoutMs: 60_000 }),
    client.request("y", { timeoutMs: 60_000 }),
    client.ready(),
  ],
  "a stream of content that gives nothing": (client) => [client.request(hanging(0))],
  "the rest of a stream of content": (client) => [client.request(hanging(1))],
};

for (const [name, begin] of Object.entries(REQUESTS)) {
  Deno.test(`closing a client of requests ends its wait for ${name}`, async () => {
    const client = new RequestClient(new ScriptedDuplex(() => undefined), { maxOutstanding: 1 });
    const codes = codesOf(begin(client));
    await client[Symbol.asyncDispose]();
    for (const code of await codes()) assertEquals(code, "closed");
  });
}
