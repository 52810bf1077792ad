/** All benchmarks that compare two versions, in the order in which they are measured. */
import { encodeFrame, jsonFrame } from "../../../lib/frame/mod.ts";
import { listen, type TcpAddress } from "../../../lib/net/mod.ts";
import { connectRequests, serveRequests } from "../../../lib/request/mod.ts";
import { ECHO_ROWS, rowTitle } from "../echo.ts";
import { LOADS, loadTitle } from "../pubsub.ts";
import { CLIENT_ROWS, startClientPeers } from "../client_peers.ts";
import {
  buildC,
  denoArgsIn,
  freePort,
  runJson,
  type ServerProcess,
  startServer,
} from "../support.ts";
import { startBenchmark } from "../start.ts";
import type { Benchmark, Row, Unit } from "./benchmark.ts";
import { LibraryBenchmark, type Surroundings } from "./library.ts";
import { searchBenchmark } from "./search.ts";
import { serverBenchmark, startCommand } from "./servers.ts";

/** A publication that was left out because the machine was busy is no figure of the broker. */
const TRIES = 3;

/**
 * How long the load client runs before it is measured, and while it is. Each measurement starts it
 * anew, and for half a second it runs code that is not compiled yet.
 */
const LOAD_WARM_UP_S = 0.75;
const LOAD_SECONDS = 0.5;

const rowsOf = (unit: Unit, ...names: string[]): Row[] => names.map((name) => ({ name, unit }));

/** The benchmarks. */
export const BENCHMARKS: readonly Benchmark[] = [
  startBenchmark,
  new LibraryBenchmark(
    "frame",
    rowsOf(
      "frames/s",
      "decode, equal headers",
      "decode, headers with an id",
      "decode, headers with a random text",
      "encode, bytes",
      "encode, text",
      "readMessages",
    ),
  ),
  new LibraryBenchmark(
    "stream",
    rowsOf(
      "GB/s",
      "FrameDecoder in parts",
      "byte stream",
      "byte stream, own memory",
      "message content stream",
      "message content stream, own memory",
    ),
  ),
  serverBenchmark({
    name: "echo",
    unit: "messages/s",
    rows: new Map(ECHO_ROWS.map((row) => [rowTitle(row), row])),
    needs: ["cc"],
    start: (version) => startCommand(version, "cmd/echo_server.ts", "-q"),
    async measure({ port }, [connections, size, depth], seconds) {
      const args = [port, connections, size, depth, seconds];
      return (await runJson(await buildC("echo_load"), args))["messages_per_s"]!;
    },
  }),
  loadBenchmark(),
  serverBenchmark({
    name: "app_server",
    unit: "requests/s",
    rows: new Map([["1 outstanding", 1], ["16 outstanding", 16]]),
    needs: ["cc"],
    start: (version) => startCommand(version, "cmd/app_server.ts", "-q"),
    async measure({ port }, depth, seconds) {
      const request = jsonFrame({ action: "search", value: "morpheus" });
      await using client = await connectRequests({ transport: "tcp", hostname: "127.0.0.1", port });
      const responseBytes = (await client.request(request)).bytes.length;
      const args = [port, 50, depth, seconds, responseBytes];
      const input = encodeFrame(request);
      return (await runJson(await buildC("request_load"), args, { input }))["messages_per_s"]!;
    },
  }),
  searchBenchmark(),
  serverBenchmark({
    name: "pubsub",
    unit: "messages/s",
    rows: new Map(LOADS.map((load) => [loadTitle(load), load])),
    needs: ["cc"],
    start: (version) => startCommand(version, "cmd/broker.ts", "-q"),
    async measure({ port }, [payload, topics, subscribers, perSecond], seconds) {
      const program = await buildC("pubsub_load");
      const args = [payload, Math.round(perSecond * seconds), topics];
      for (let tries = 1;; tries++) {
        const all = ["socktool", port, 1, subscribers, ...args];
        const result = await runJson(program, all, { mayFail: true });
        if (result["delivered_percent"] === 100) return result["delivered_per_s"]!;
        if (tries === TRIES) throw new Error(`${result["delivered_percent"]} % were delivered`);
      }
    },
  }),
  new LibraryBenchmark(
    "requests",
    rowsOf("requests/s", "1 outstanding", "64 outstanding"),
    startRequestServer,
  ),
  new LibraryBenchmark("client", [...CLIENT_ROWS], startClientPeers),
];

async function startRequestServer(): Promise<Surroundings> {
  const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  const server = serveRequests(listener, () => ({ content: "an answer" }));
  return {
    args: [String((server.address as TcpAddress).port)],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The load client, against the C echo server. */
function loadBenchmark(): Benchmark {
  const rows = new Map(ECHO_ROWS.map((row) => [rowTitle(row), row]));
  return {
    name: "load",
    rows: rowsOf("messages/s", ...rows.keys()),
    needs: ["cc"],
    async start({ root }) {
      const port = freePort();
      const server: ServerProcess = await startServer(await buildC("echo_ref"), [`${port}`], port);
      return {
        async measure(name) {
          const [connections, size, depth] = rows.get(name)!;
          const args = denoArgsIn(root, "cmd/multiconn_client.ts", `:${port}`, `${connections}`)
            .concat("--json", "--size", `${size}`, "--pipeline", `${depth}`)
            .concat("--duration", `${LOAD_SECONDS}s`, "--warmup", `${LOAD_WARM_UP_S}s`);
          return { value: (await runJson(Deno.execPath(), args))["messages_per_s"]! };
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}
