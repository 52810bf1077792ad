/**
 * Exact lookups from the app server, against an echo of messages of the same size by the C
 * reference server.
 *
 * @module
 */
import { encodeFrame, type Frame, jsonFrame, type OutgoingFrame } from "../../lib/frame/mod.ts";
import { connectRequests } from "../../lib/request/mod.ts";
import type { Address } from "../../lib/net/mod.ts";
import { COSTLY_QUERY, DOCUMENTS, makeDocuments, makeWords } from "./documents.ts";
import {
  buildC,
  denoArgs,
  type Figures,
  freePort,
  median,
  runJson,
  startServer,
} from "./support.ts";

const CONNECTIONS = 50;
const SECONDS = 1;
const ROUNDS = 5;
const COSTLY_CLIENTS = 4;
const COSTLY_SECONDS = 5;
const REQUEST = jsonFrame({ action: "search", value: "morpheus" });

/** Measures; rates in messages per second, ratios of the same round. */
export async function run(): Promise<Figures> {
  const [load, reference] = await Promise.all([buildC("request_load"), buildC("echo_ref")]);
  const [port, referencePort] = [freePort(), freePort()];
  await using _reference = await startServer(reference, [String(referencePort)], referencePort);
  const command = denoArgs("cmd/app_server.ts", `127.0.0.1:${port}`, "-q");
  await using _server = await startServer(Deno.execPath(), command, port);
  const request = encodeFrame(REQUEST);
  const responseBytes = await measureResponse(port);
  const figures: Figures = {
    "request, bytes": request.length,
    "response, bytes": responseBytes,
  };
  for (const depth of [1, 16]) {
    const rates: number[] = [], ratios: number[] = [], p99: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const measure = (to: number, bytes: number) =>
        runJson(load, [to, CONNECTIONS, depth, SECONDS, bytes], { input: request });
      const echoed = await measure(referencePort, request.length);
      const answered = await measure(port, responseBytes);
      rates.push(answered["messages_per_s"]!);
      p99.push(answered["p99_us"]!);
      ratios.push(answered["messages_per_s"]! / echoed["messages_per_s"]!);
    }
    figures[`${depth} outstanding: lookups/s`] = median(rates);
    figures[`${depth} outstanding: p99, µs`] = median(p99);
    figures[`${depth} outstanding: ratio to echo_ref`] = median(ratios);
  }
  await measureBesideCostly(figures);
  return figures;
}

/** Lookups by one client while others send the costliest queries without a pause. */
async function measureBesideCostly(figures: Figures): Promise<void> {
  const data = `${await Deno.makeTempDir({ prefix: "socktool-bench-" })}/documents.jsonl`;
  await Deno.writeTextFile(data, makeDocuments(makeWords()));
  const port = freePort();
  const command = denoArgs("cmd/app_server.ts", `127.0.0.1:${port}`, "-q", "--data", data);
  await using _server = await startServer(Deno.execPath(), command, port);
  const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
  const search = (value: string, limit?: number) => jsonFrame({ action: "search", value, limit });
  // It listens before it has indexed; the first answer comes when it has.
  await ask(address, search("doc-1"));
  const end = performance.now() + COSTLY_SECONDS * 1_000;
  let searches = 0;
  const costly = Array.from({ length: COSTLY_CLIENTS }, async () => {
    await using client = await connectRequests(address);
    for (; performance.now() < end; searches++) await client.request(search(COSTLY_QUERY, 100));
  });
  await using client = await connectRequests(address);
  const times: number[] = [];
  for (let i = 0; performance.now() < end; i++) {
    const start = performance.now();
    await client.request(search(`doc-${(i * 7919) % DOCUMENTS}`));
    times.push(performance.now() - start);
  }
  await Promise.all(costly);
  times.sort((a, b) => a - b);
  figures["costly searches beside, per s"] = searches / COSTLY_SECONDS;
  figures["lookups beside them, per s"] = times.length / COSTLY_SECONDS;
  figures["lookups beside them: p50, ms"] = times[Math.floor(times.length * 0.5)]!;
  figures["lookups beside them: p99, ms"] = times[Math.floor(times.length * 0.99)]!;
}

async function ask(address: Address, request: OutgoingFrame): Promise<Frame> {
  await using client = await connectRequests(address);
  return await client.request(request);
}

async function measureResponse(port: number): Promise<number> {
  await using client = await connectRequests({ transport: "tcp", hostname: "127.0.0.1", port });
  return (await client.request(REQUEST)).bytes.length;
}
