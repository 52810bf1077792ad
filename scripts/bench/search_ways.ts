/**
 * What a search costs on each stage of its way: in SQLite alone, in the engine on one thread, over
 * TCP; and beside a client that asks for the costliest.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { openIndexReader } from "../../lib/search/index/open_index.ts";
import { Searcher } from "../../lib/search/query/searcher.ts";
import {
  COSTLY_QUERY,
  frequent,
  makeDocuments,
  makeWords,
  misspell,
  randomFrom,
} from "./documents.ts";
import type { Figures } from "./support.ts";

/** More than most people put into one index. */
const DOCUMENTS = 120_000;
const SEED = 44;
/** Queries of one kind in each of the rounds; the ways take turns. */
const QUERIES = 100;
const ROUNDS = 5;
const BESIDE_QUERIES = 300;

type Way = (query: string) => unknown;

/** Measures it in a folder, which the caller removes; about 30 s. */
export async function measureWays(folder: string): Promise<Figures> {
  const words = makeWords();
  const data = `${folder}/ways.jsonl`;
  const index = `${folder}/ways.db`;
  await Deno.writeTextFile(data, makeDocuments(words, DOCUMENTS));
  await (await openSearch({ data: [data], index })).close();
  const figures: Figures = { "documents of the ways": DOCUMENTS };
  await measureFirst(index, words, figures);
  using raw = openRaw(`${folder}/raw.db`, data);
  const db = openIndexReader({ path: index });
  const searcher = new Searcher(db);
  await using engine = await openSearch({ index, workers: 1 });
  await using server = await serveRequests("127.0.0.1:0", searchHandler(engine));
  await using client = await connectRequests(server.address);
  const overTcp = (query: string) => client.request(jsonFrame({ action: "search", value: query }));
  const ways: Record<string, Way> = {
    "raw SQL with snippets": raw.search,
    "raw SQL with snippets and count": raw.searchAndCount,
    "engine on its own thread": (query) =>
      searcher.search({ query, limit: 10, offset: 0, exactly: false }),
    "over TCP": overTcp,
  };
  const make = twoWords(data);
  const times = await takeTurns(ways, make);
  for (const [name, values] of Object.entries(times)) {
    figures[`two words, ${name} p50 ms`] = quantile(values, 0.5);
  }
  const p50 = (name: string) => figures[`two words, ${name} p50 ms`]!;
  figures["own thread / raw SQL"] = p50("engine on its own thread") /
    p50("raw SQL with snippets and count");
  figures["over TCP / own thread"] = p50("over TCP") / p50("engine on its own thread");
  await measureBeside(server.address, overTcp, make, figures);
  db.close();
  return figures;
}

/** A plain full-text table of the same documents, as one writes it down first. */
function openRaw(path: string, data: string) {
  const db = new DatabaseSync(path);
  db.exec("CREATE VIRTUAL TABLE document USING fts5 (key, title, text)");
  const insert = db.prepare("INSERT INTO document VALUES (?, ?, ?)");
  db.exec("BEGIN");
  for (const line of Deno.readTextFileSync(data).split("\n")) {
    const { key, title, text } = JSON.parse(line);
    insert.run(key, title, text);
  }
  db.exec("COMMIT");
  const find = db.prepare(`SELECT key, title, bm25(document, 4, 8, 1) AS score,
      snippet(document, 2, '', '', '…', 40) AS snippet
    FROM document WHERE document MATCH ? ORDER BY score LIMIT 10`);
  const count = db.prepare("SELECT count(*) AS n FROM document WHERE document MATCH ?");
  return {
    search: (query: string) => find.all(query),
    searchAndCount: (query: string) => [find.all(query), count.get(query)],
    [Symbol.dispose]: () => db.close(),
  };
}

/**
 * Runs each way over the same queries, a round of each in turn. Each asks a round twice and counts the
 * second time: what differs is the work, and not whose pages of a file are in memory already.
 */
async function takeTurns(
  ways: Readonly<Record<string, Way>>,
  make: () => string,
): Promise<Record<string, number[]>> {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    const queries = Array.from({ length: QUERIES }, make);
    for (const [name, way] of Object.entries(ways)) {
      for (const query of queries) await way(query);
      for (const query of queries) {
        const start = performance.now();
        await way(query);
        // The first round warms up.
        if (round > 0) times[name]!.push(performance.now() - start);
      }
    }
  }
  return times;
}

/** The first searches after a start, and later ones with words that were not looked for before. */
async function measureFirst(index: string, words: readonly string[], figures: Figures) {
  await using engine = await openSearch({ index, workers: 1 });
  const random = randomFrom(SEED);
  const start = performance.now();
  await engine.search("qqqqqqqq zzzzzzzz");
  figures["first search without a match ms"] = performance.now() - start;
  const misspelled = () => misspell(frequent(words, random), random);
  const kinds: Record<string, () => string> = {
    "no match": () => `${misspelled()}qqqq zzq${misspelled()}`,
    "correction": () => `${misspelled()} ${frequent(words, random)}`,
  };
  for (const [name, make] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let i = 0; i < 3 * QUERIES; i++) {
      const query = make();
      const start = performance.now();
      await engine.search(query);
      times.push(performance.now() - start);
    }
    figures[`${name} p99 ms`] = quantile(times, 0.99);
  }
}

/** Two words with one worker, alone and while another client asks for the costliest without a pause. */
async function measureBeside(
  address: Parameters<typeof connectRequests>[0],
  search: Way,
  make: () => string,
  figures: Figures,
) {
  const measure = async () => {
    const times: number[] = [];
    for (let i = 0; i < BESIDE_QUERIES; i++) {
      const query = make();
      const start = performance.now();
      await search(query);
      times.push(performance.now() - start);
    }
    return quantile(times, 0.5);
  };
  const alone = await measure();
  await using costly = await connectRequests(address);
  let done = false;
  const asking = (async () => {
    for (let i = 0; !done; i++) {
      // Never the same twice, so that nobody knows what it costs.
      await costly.request(
        jsonFrame({ action: "search", value: `${COSTLY_QUERY} -q${i}`, limit: 100 }),
      );
    }
  })();
  const beside = await measure();
  done = true;
  await asking;
  figures["two words, one worker, alone p50 ms"] = alone;
  figures["two words, one worker, beside the costliest p50 ms"] = beside;
  figures["beside / alone"] = beside / alone;
}

/** Makes queries of two words that stand in one document: each finds something. */
function twoWords(data: string): () => string {
  const random = randomFrom(SEED + 1);
  const texts = Deno.readTextFileSync(data).split("\n").map((line) => JSON.parse(line).text);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  return () => {
    const words = (pick(texts) as string).split(" ");
    return `${pick(words)} ${pick(words)}`;
  };
}

function quantile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)]!;
}
