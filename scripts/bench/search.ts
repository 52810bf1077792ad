/**
 * The search engine on 60,000 and 120,000 short documents, made anew from a fixed seed each time.
 *
 * @module
 */
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import {
  COSTLY_QUERY,
  DOCUMENTS,
  frequent,
  makeDocuments,
  makeWords,
  misspell,
  randomFrom,
} from "./documents.ts";
import { measureWays } from "./search_ways.ts";
import type { Figures } from "./support.ts";

const SEED = 43;

const COSTLY_CLIENTS = 4;

/** Runs the benchmark; about a minute. The data live in a temporary folder that it removes. */
export async function run(): Promise<Figures> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
  try {
    const words = makeWords();
    const data = `${folder}/documents.jsonl`;
    await Deno.writeTextFile(data, makeDocuments(words));
    const index = `${folder}/index.db`;
    const figures: Figures = { documents: DOCUMENTS };
    figures["data MiB"] = (await Deno.stat(data)).size / 2 ** 20;
    let start = performance.now();
    await (await openSearch({ data: [data], index })).close();
    figures["index all s"] = (performance.now() - start) / 1000;
    figures["index MiB"] = (await Deno.stat(index)).size / 2 ** 20;
    start = performance.now();
    await using engine = await openSearch({ data: [data], index, writable: true });
    figures["open again ms"] = performance.now() - start;
    await measureSearches(engine, words, figures);
    measureLookups(engine, figures);
    await measureLookupsBesideCostlySearches(engine, figures);
    await measureWrites(engine, figures);
    Object.assign(figures, await measureWays(folder));
    return figures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measureSearches(engine: SearchEngine, words: string[], figures: Figures) {
  const random = randomFrom(SEED);
  const kinds: Record<string, () => string> = {
    "search two words": () => `${frequent(words, random)} ${frequent(words, random)}`,
    "search one word": () => frequent(words, random),
    "search prefix of 3": () => `${frequent(words, random).slice(0, 3)}*`,
    "search misspelled": () => misspell(words[Math.floor(random() * words.length)]!, random),
  };
  // The first misspelled word reads the vocabulary; the others are as they always are.
  await engine.search("qqqqqq");
  for (const [name, make] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let i = 0; i < 300; i++) {
      const query = make();
      const start = performance.now();
      await engine.search(query);
      times.push(performance.now() - start);
    }
    addQuantiles(figures, name, times);
  }
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    await engine.suggest(frequent(words, random).slice(0, 1 + i % 4));
    times.push(performance.now() - start);
  }
  addQuantiles(figures, "suggest", times);
}

function measureLookups(engine: SearchEngine, figures: Figures) {
  const keys = Array.from({ length: 1000 }, (_, i) => `doc-${i * 7}`);
  let start = performance.now();
  for (let i = 0; i < 20_000; i++) engine.lookup(`doc-${30_000 + i}`);
  figures["lookup from index /s"] = 20_000 / (performance.now() - start) * 1000;
  for (const key of keys) engine.lookup(key);
  start = performance.now();
  let found = 0;
  for (let i = 0; i < 2_000_000; i++) if (engine.lookup(keys[i % 1000]!)) found++;
  figures["lookup from cache /s"] = found / (performance.now() - start) * 1000;
}

/** The costliest queries there are, by four clients without a pause; lookups every millisecond. */
async function measureLookupsBesideCostlySearches(engine: SearchEngine, figures: Figures) {
  const end = performance.now() + 3000;
  let searches = 0;
  const clients = Array.from({ length: COSTLY_CLIENTS }, async () => {
    for (; performance.now() < end; searches++) await engine.search(COSTLY_QUERY, { limit: 100 });
  });
  const times: number[] = [];
  for (let i = 0; performance.now() < end; i++) {
    // What a client waits for: the turn of the event loop as well as the lookup.
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    engine.lookup(`doc-${(i * 7919) % DOCUMENTS}`);
    times.push(performance.now() - start);
  }
  await Promise.all(clients);
  figures["costliest search ms"] = 3000 * 1 / Math.max(1, searches);
  addQuantiles(figures, "lookup beside costly searches", times);
}

async function measureWrites(engine: SearchEngine, figures: Figures) {
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    await engine.put({ key: `put-${i}`, title: "", text: `text number ${i}` });
    times.push(performance.now() - start);
  }
  addQuantiles(figures, "put", times);
  const start = performance.now();
  await Promise.all(
    Array.from(
      { length: 2000 },
      (_, i) => engine.put({ key: `many-${i}`, title: "", text: `text number ${i}` }),
    ),
  );
  figures["put together /s"] = 2000 / (performance.now() - start) * 1000;
}

function addQuantiles(figures: Figures, name: string, times: number[]) {
  times.sort((a, b) => a - b);
  figures[`${name} p50 ms`] = times[Math.floor(times.length * 0.5)]!;
  figures[`${name} p99 ms`] = times[Math.floor(times.length * 0.99)]!;
}
