/**
 * Exact lookups from the app server, against an echo of messages of the same size by the C
 * reference server. Run alone or by `deno task bench app_server`.
 *
 * @module
 */
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { connectMessages } from "../../lib/message/mod.ts";
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
        runJson(load, [to, CONNECTIONS, depth, SECONDS, bytes], request);
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
  return figures;
}

async function measureResponse(port: number): Promise<number> {
  await using client = await connectMessages({ transport: "tcp", hostname: "127.0.0.1", port });
  return (await client.request(REQUEST)).bytes.length;
}

if (import.meta.main) {
  const { printFigures } = await import("./print.ts");
  printFigures("app_server", await run());
}
