/**
 * Measures the search engine on 60,000 short documents, made anew from a fixed seed each time.
 *
 * `deno run -A scripts/bench/search.ts` prints the figures with their units.
 *
 * @module
 */
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";

const DOCUMENTS = 60_000;
const WORDS = 30_000;
const SEED = 42;
const COSTLY_CLIENTS = 4;

/** What {@linkcode run} returns: name → number, with the unit at the end of the name. */
export type SearchFigures = Record<string, number>;

/** Runs the benchmark; about 20 s. The data live in a temporary folder that it removes. */
export async function run(): Promise<SearchFigures> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
  try {
    const words = makeWords();
    const data = `${folder}/documents.jsonl`;
    await Deno.writeTextFile(data, makeDocuments(words));
    const index = `${folder}/index.db`;
    const figures: SearchFigures = { documents: DOCUMENTS };
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
    return figures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measureSearches(engine: SearchEngine, words: string[], figures: SearchFigures) {
  const random = randomFrom(SEED + 1);
  const kinds: Record<string, () => string> = {
    "search two words": () => `${frequent(words, random)} ${frequent(words, random)}`,
    "search one word": () => frequent(words, random),
    "search prefix of 3": () => `${frequent(words, random).slice(0, 3)}*`,
    "search misspelled": () => misspell(words[Math.floor(random() * WORDS)]!, random),
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

function measureLookups(engine: SearchEngine, figures: SearchFigures) {
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
async function measureLookupsBesideCostlySearches(engine: SearchEngine, figures: SearchFigures) {
  const query = [..."bcdfghjklmnprstv"].map((letter) => `${letter}*`).join(" OR ");
  const end = performance.now() + 3000;
  let searches = 0;
  const clients = Array.from({ length: COSTLY_CLIENTS }, async () => {
    for (; performance.now() < end; searches++) await engine.search(query, { limit: 100 });
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

async function measureWrites(engine: SearchEngine, figures: SearchFigures) {
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

function addQuantiles(figures: SearchFigures, name: string, times: number[]) {
  times.sort((a, b) => a - b);
  figures[`${name} p50 ms`] = times[Math.floor(times.length * 0.5)]!;
  figures[`${name} p99 ms`] = times[Math.floor(times.length * 0.99)]!;
}

function makeDocuments(words: string[]): string {
  const random = randomFrom(SEED);
  const lines: string[] = [];
  for (let i = 0; i < DOCUMENTS; i++) {
    const title = `${frequent(words, random)} ${frequent(words, random)}`;
    const text = Array.from({ length: 24 }, () => frequent(words, random)).join(" ");
    lines.push(JSON.stringify({ key: `doc-${i}`, title, text }));
  }
  return lines.join("\n");
}

/** Words as frequent as in natural language: the n-th about 1/n as often as the first. */
function frequent(words: string[], random: () => number): string {
  return words[Math.floor(words.length ** random()) - 1]!;
}

function misspell(word: string, random: () => number): string {
  const at = 1 + Math.floor(random() * (word.length - 1));
  return `${word.slice(0, at)}x${word.slice(at + 1)}`;
}

function makeWords(): string[] {
  const random = randomFrom(SEED - 1);
  const pick = (letters: string) => letters[Math.floor(random() * letters.length)]!;
  const words = new Set<string>();
  while (words.size < WORDS) {
    let word = "";
    for (let n = 2 + Math.floor(random() * 3); n > 0; n--) {
      word += pick("bcdfghjklmnprstvwz") + pick("aeiou");
    }
    words.add(word);
  }
  return [...words];
}

/** The same numbers from 0 to 1 for the same seed, on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) {
    const unit = /(?:^| )(MiB|s|ms|\/s)$/.exec(name)?.[1] ?? "";
    const label = unit === "" ? name : name.slice(0, -unit.length - 1);
    const digits = value >= 1000 ? 0 : 3;
    // deno-lint-ignore no-console
    console.log(`${label.padEnd(36)} ${value.toFixed(digits).padStart(12)} ${unit}`.trimEnd());
  }
}
