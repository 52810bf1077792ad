/** The search app over many short documents, as its clients feel it. */
import { jsonFrame } from "../../../lib/frame/mod.ts";
import { connectRequests, type RequestClient } from "../../../lib/request/mod.ts";
import { frequent, makeDocuments, makeWords, misspell, randomFrom } from "../documents.ts";
import { median } from "../support.ts";
import type { Benchmark, Subject } from "./benchmark.ts";
import { startCommand } from "./servers.ts";

const DOCUMENTS = 20_000;
/** Requests that are not measured: a server that has just started runs code that is not compiled yet. */
const WARM_UP = 300;
const REQUESTS = 300;
const SEED = 43;
const WORDS = makeWords();
const INDEXING = `indexing ${DOCUMENTS} documents`;

type MakeRequest = (words: readonly string[], random: () => number, i: number) => unknown;

const REQUESTS_BY_ROW: Readonly<Record<string, MakeRequest>> = {
  "two words, p50": (words, random) =>
    search(`${frequent(words, random)} ${frequent(words, random)}`),
  "prefix of 3, p50": (words, random) => search(`${frequent(words, random).slice(0, 3)}*`),
  "misspelled, p50": (words, random) =>
    search(misspell(words[Math.floor(random() * words.length)]!, random)),
  "suggest, p50": (words, random, i) => ({
    action: "suggest",
    value: frequent(words, random).slice(0, 1 + i % 4),
  }),
  "put, p50": (_words, _random, i) => ({ action: "put", key: `put-${i}`, value: `text ${i}` }),
};

const search = (value: string) => ({ action: "search", value });

/** Times of one request after the other, the same ones for every version. */
export function searchBenchmark(): Benchmark {
  const names = [INDEXING, ...Object.keys(REQUESTS_BY_ROW)];
  return {
    name: "search",
    rows: names.map((name) => ({ name, unit: "ms" })),
    async start(version) {
      await using stack = new AsyncDisposableStack();
      const data = await Deno.makeTempFile({ prefix: "socktool-bench-", suffix: ".jsonl" });
      stack.defer(() => Deno.remove(data));
      await Deno.writeTextFile(data, makeDocuments(WORDS, DOCUMENTS));
      const flags = ["-q", "--writable", "--data", data];
      const { port } = stack.use(await startCommand(version, "cmd/app_server.ts", ...flags));
      const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
      const client = stack.use(await connectRequests(address));
      // It listens before it has indexed; the first answer comes when it has.
      const startedAt = performance.now();
      await client.request(jsonFrame(search("doc-1")));
      const indexingMs = performance.now() - startedAt;
      const running = stack.move();
      return {
        async measure(row) {
          if (row === INDEXING) return { value: indexingMs };
          return { value: await medianTime(client, REQUESTS_BY_ROW[row]!) };
        },
        [Symbol.asyncDispose]: () => running.disposeAsync(),
      } satisfies Subject;
    },
  };
}

async function medianTime(
  client: RequestClient,
  make: MakeRequest,
): Promise<number> {
  const random = randomFrom(SEED);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + REQUESTS; i++) {
    const request = jsonFrame(make(WORDS, random, i));
    const startedAt = performance.now();
    const reply = await client.request(request);
    if (i >= WARM_UP) times.push(performance.now() - startedAt);
    const { result } = reply.json() as { result?: unknown };
    if (String(result).startsWith("Error:")) throw new Error(String(result));
  }
  return median(times);
}
