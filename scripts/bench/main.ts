/**
 * `deno task bench`: measures this checkout, or compares it with another version.
 *
 * @module
 */
import { EXIT, UsageError } from "../../cmd/_cli/mod.ts";
import { runScript } from "../pack/script.ts";
import { runAgainst } from "./against/run.ts";
import { BENCHMARKS } from "./against/benchmarks.ts";
import { fullName } from "./against/benchmark.ts";
import { LEAST_RATIO } from "./against/table.ts";
import { partsOf, PLAIN_BENCHMARKS, runPlain, WITH_ROWS } from "./plain.ts";

await runScript({
  task: "bench",
  about:
    "Measures this checkout, beside what else people use; or compares it with another version.",
  arguments: {
    names: {
      type: "string",
      repeat: true,
      optional: true,
      placeholder: "NAME",
      help: `what to measure: ${Object.keys(PLAIN_BENCHMARKS).join(", ")}; with --against also ` +
        "rows, by the beginnings of their names, such as 'pubsub/16 B'; without it rows of " +
        `${[...WITH_ROWS].join(", ")}, such as 'streams/store, fsynced, 64'`,
    },
  },
  flags: {
    against: {
      type: "string",
      placeholder: "REF",
      help: "the commit, tag or branch to compare this checkout with",
    },
    pairs: {
      type: "integer",
      min: 7,
      max: 100,
      default: "7",
      requires: ["against"],
      help: "how often each row is measured on both versions",
    },
    "time-limit": {
      type: "duration",
      default: "20m",
      requires: ["against"],
      help: "begin no pair after this time; what was measured by then is printed",
    },
    json: {
      type: "boolean",
      requires: ["against"],
      help: "print an object per row as a line of JSON, and a summary last",
    },
    list: {
      type: "boolean",
      conflicts: ["against"],
      help: "print the names of the rows that --against compares",
    },
  },
  notes: [
    "Without --against, figures go to stdout and, as JSON, to .bench/. Comparisons with others' " +
    "programs, such as nats-server and redis-server, are made where those are installed.",
    "With --against, both versions are measured in turn, by the same programs where they can be: " +
    "servers and commands as processes, the library in a process that imports it. What is measured " +
    "has run under the same load before, until V8 has compiled it; how long it takes to start has " +
    "rows of its own. A ratio above 1 " +
    `is better now. The exit code is 1 if the 95 % interval of a ratio lies below ${LEAST_RATIO}, ` +
    "or a row cannot be measured on this checkout, or was not measured often enough. While others use the machine, take more pairs.",
  ],
  async run({ against, pairs, "time-limit": timeLimitMs, json, list }, { names }) {
    if (list) {
      for (const benchmark of BENCHMARKS) {
        for (const row of benchmark.rows) print(fullName(benchmark, row));
      }
      return EXIT.ok;
    }
    if (against !== undefined) {
      return await runAgainst(against, names, { pairs, timeLimitMs, json });
    }
    const unknown = names.filter((name) => {
      const { benchmark, row } = partsOf(name);
      return !Object.hasOwn(PLAIN_BENCHMARKS, benchmark) ||
        row !== undefined && !WITH_ROWS.has(benchmark);
    });
    if (unknown.length > 0) {
      const known = Object.keys(PLAIN_BENCHMARKS).join(", ");
      const rows = unknown.some((name) => name.includes("/")) ? "; rows go with --against" : "";
      throw new UsageError(`unknown benchmark ${unknown.join(", ")}: there are ${known}${rows}`);
    }
    await runPlain(names.length > 0 ? names : Object.keys(PLAIN_BENCHMARKS));
    return EXIT.ok;
  },
});

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
