/**
 * What browsers get: publications over WebSockets beside TCP, searches over HTTP beside the wire,
 * the figures of a broker with many connections, and the search page's first paint.
 *
 * @module
 */
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { connectRequests } from "../../lib/request/mod.ts";
import { makeDocuments, makeWords } from "./documents.ts";
import { firstPaint } from "./first_paint.ts";
import { denoArgs, type Figures, freePort, median, startServer } from "./support.ts";
import { ByteReceiver } from "./web_receiver.ts";

const SUBSCRIBERS = 1_000;
const CONTENT = new Uint8Array(1_024);
/** Publications of one round: fewer bytes than may wait for a subscriber, so none is left out. */
const PART = 50;
const ROUNDS = 9;
const SEARCHES = 300;
const CONNECTIONS = 10_000;

/** Measures; each pair of figures by turns. */
export async function run(): Promise<Figures> {
  return {
    ...await fanOut(),
    ...await searches(),
    ...await metrics(),
  };
}

/** A server with pages. */
async function start(command: string, ...args: readonly string[]) {
  const [port, http] = [freePort(), freePort()];
  const words = [`127.0.0.1:${port}`, "-q", "--http", `127.0.0.1:${http}`, ...args];
  const server = await startServer(Deno.execPath(), denoArgs(`cmd/${command}.ts`, ...words), port);
  return { port, http, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Deliveries to many subscribers, over TCP and over WebSockets. */
async function fanOut(): Promise<Figures> {
  await using broker = await start("broker");
  const publication = encodeFrame({ header: { op: "pub", topic: "all" }, content: CONTENT });
  const kinds = { TCP: broker.port, WebSocket: broker.http };
  const rates: Record<string, number[]> = { TCP: [], WebSocket: [] };
  const publisher = await ByteReceiver.open(broker.port, false);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, port] of Object.entries(kinds)) {
      const receivers: ByteReceiver[] = [];
      while (receivers.length < SUBSCRIBERS) {
        const some = Array.from({ length: 100 }, () => ByteReceiver.open(port, kind !== "TCP"));
        receivers.push(...await Promise.all(some));
      }
      const subscription = encodeFrame({ header: { op: "sub", topic: "all", id: 1 } });
      await Promise.all(receivers.map(async (receiver) => {
        await receiver.send(subscription);
        await receiver.receive(1);
      }));
      const begin = performance.now();
      for (let i = 0; i < PART; i++) await publisher.send(publication);
      await Promise.all(receivers.map((each) => each.receive(PART * publication.length)));
      rates[kind]!.push(SUBSCRIBERS * PART / (performance.now() - begin) * 1_000);
      for (const receiver of receivers) receiver.close();
    }
  }
  publisher.close();
  const ratios = rates["TCP"]!.map((rate, i) => rates["WebSocket"]![i]! / rate);
  const what = `${SUBSCRIBERS} subscribers, 1 KiB`;
  return {
    [`${what}: deliveries/s over TCP`]: median(rates["TCP"]!),
    [`${what}: deliveries/s over WebSockets`]: median(rates["WebSocket"]!),
    [`${what}: ratio`]: median(ratios),
  };
}

/** The same searches over HTTP and on the wire, and the page that asks for them. */
async function searches(): Promise<Figures> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
  try {
    const words = makeWords();
    await Deno.writeTextFile(`${folder}/data.jsonl`, makeDocuments(words, 10_000));
    await using server = await start("app_server", "--data", `${folder}/data.jsonl`);
    await using wire = await connectRequests(`127.0.0.1:${server.port}`);
    const url = `http://127.0.0.1:${server.http}/`;
    await until(async () => (await fetch(`${url}readyz`)).ok);
    const http = await ByteReceiver.open(server.http, false);
    const onWire: number[] = [], overHttp: number[] = [];
    for (let i = 0; i < SEARCHES; i++) {
      const value = words[i % 100]!;
      let begin = performance.now();
      await wire.request(jsonFrame({ action: "search", value, limit: 10 }));
      onWire.push(performance.now() - begin);
      begin = performance.now();
      await http.ask(`/api/search?q=${value}&limit=10`);
      overHttp.push(performance.now() - begin);
    }
    http.close();
    return {
      "search on the wire, p50 ms": median(onWire),
      "search over HTTP, p50 ms": median(overHttp),
      "over HTTP more, ms": median(overHttp) - median(onWire),
      ...await firstPaint(url),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** How long the figures of a broker take that has many connections. */
async function metrics(): Promise<Figures> {
  await using broker = await start("broker");
  const clients: Deno.Conn[] = [];
  while (clients.length < CONNECTIONS) {
    const some = Array.from({ length: 200 }, () => Deno.connect({ port: broker.port }));
    clients.push(...await Promise.all(some));
  }
  const http = await ByteReceiver.open(broker.http, false);
  const figures: Figures = {};
  for (const path of ["/metrics", "/api/stats"]) {
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const begin = performance.now();
      await http.ask(path);
      times.push(performance.now() - begin);
    }
    figures[`${path} with ${CONNECTIONS} connections, p50 ms`] = median(times);
  }
  for (const conn of [...clients, http]) conn.close();
  return figures;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
