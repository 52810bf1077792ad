/**
 * Measures how often a search finds the right entry first: judged queries over documents that
 * packages of Debian carry.
 *
 * @module
 */
import { EXIT } from "../../cmd/_cli/mod.ts";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import { runScript } from "../pack/script.ts";
import { CORPORA } from "./relevance/corpora.ts";
import { JUDGED, type Kind } from "./relevance/queries.ts";
import { say } from "./support.ts";

/** How many hits are looked at. */
const LOOKED_AT = 20;

/** Where the right entry was found. */
interface Outcome {
  readonly corpus: string;
  readonly kind: Kind;
  readonly query: string;
  /** From 1; 0 if it is not among the first hits. */
  readonly rank: number;
  /** What was found first instead. */
  readonly first: string;
}

await runScript({
  task: "relevance",
  about: "Asks judged queries, and prints how often the right entry comes first.",
  arguments: {},
  flags: {
    missed: { type: "boolean", help: "print the queries whose answer does not come first" },
    json: { type: "boolean", help: "print an object per query as a line of JSON" },
  },
  notes: [
    "It asks over documents that are installed, and names the packages of Debian whose documents " +
    "are not: " + Object.values(CORPORA).map((corpus) => corpus.package).join(", ") + ".",
    "success@N is the share of queries whose answer is among the first N hits; MRR is the mean of " +
    "1 / its rank.",
  ],
  async run({ missed, json }) {
    const folder = await Deno.makeTempDir({ prefix: "socktool-relevance-" });
    const outcomes: Outcome[] = [];
    try {
      for (const [name, corpus] of Object.entries(CORPORA)) {
        const data = await corpus.find(folder);
        if (data === undefined) {
          say(`${name}: left out, because the package ${corpus.package} is not installed`);
          continue;
        }
        await using engine = await openSearch({ data: [data], language: "en" });
        outcomes.push(...await ask(engine, name));
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    if (json) { for (const outcome of outcomes) print(JSON.stringify(outcome)); }
    else printTables(outcomes);
    if (missed) {
      for (
        const { corpus, kind, query, rank, first } of outcomes.filter(({ rank }) => rank !== 1)
      ) {
        print(`${corpus}, ${kind}: ${query} (rank ${rank || "none"}, first is ${first})`);
      }
    }
    return outcomes.length > 0 ? EXIT.ok : EXIT.failed;
  },
});

async function ask(engine: SearchEngine, corpus: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [kind, query, answer] of JUDGED[corpus] ?? []) {
    if (engine.lookup(answer) === undefined) {
      say(`${corpus}: "${query}" is left out, because this version has no entry ${answer}`);
      continue;
    }
    const { hits } = await engine.search(query, { limit: LOOKED_AT });
    const rank = hits.findIndex(({ key }) => key === answer) + 1;
    outcomes.push({ corpus, kind, query, rank, first: hits[0]?.key ?? "nothing" });
  }
  return outcomes;
}

function printTables(outcomes: readonly Outcome[]): void {
  const groups = (name: "corpus" | "kind") => Map.groupBy(outcomes, (outcome) => outcome[name]);
  print("                  queries  success@1  success@3    MRR");
  for (const by of ["kind", "corpus"] as const) {
    for (const [name, group] of groups(by)) printRow(name, group);
  }
  printRow("all", outcomes);
}

function printRow(name: string, outcomes: readonly Outcome[]): void {
  const share = (holds: (rank: number) => number) =>
    (outcomes.reduce((sum, { rank }) => sum + holds(rank), 0) / outcomes.length).toFixed(3);
  const within = (most: number) => share((rank) => rank > 0 && rank <= most ? 1 : 0);
  const mrr = share((rank) => rank > 0 ? 1 / rank : 0);
  const count = String(outcomes.length).padStart(7);
  print(
    `${name.padEnd(18)}${count}${within(1).padStart(11)}${within(3).padStart(11)}${
      mrr.padStart(7)
    }`,
  );
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
