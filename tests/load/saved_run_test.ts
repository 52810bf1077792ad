import { assert, assertEquals, assertThrows } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import {
  type ComparableRun,
  compareRuns,
  parseRun,
  runLoad,
  SavedRunError,
  saveRun,
} from "../../lib/load/mod.ts";
import { Latencies, loadHistogramLibrary } from "../../lib/base/latencies.ts";
import { listenLocally } from "../support/peers.ts";

const library = await loadHistogramLibrary();

Deno.test("parseRun() reads what saveRun() gave, with all of its latencies", async () => {
  await using server = serveEcho(await listenLocally());
  const result = await runLoad({ address: server.address, connections: 2, count: 30 });
  const run = parseRun(JSON.stringify(saveRun(result)));
  assertEquals(run.summary, result.summary);
  assertEquals(run.intervals, result.intervals);
  assertEquals(run.settings, result.settings);
  const latencies = Latencies.decode(library, run.latency);
  assertEquals([latencies.count, latencies.figures()], [60, result.summary.latency_us]);
});

Deno.test("parseRun() reads a run in which no message was sent", async () => {
  const address = await (async () => {
    using listener = await listenLocally();
    return listener.address;
  })();
  const result = await runLoad({ address, count: 1 });
  const run = parseRun(JSON.stringify(saveRun(result)));
  assertEquals([run.summary.latency_us.p99, run.summary.answered], [null, 0]);
  assertEquals(
    new Set(compareRuns(run, run).map(({ verdict }) => verdict)),
    new Set(["too short to tell"]),
  );
});

Deno.test("parseRun() refuses what is no run, and says why", () => {
  for (
    const [text, message] of [
      ["", "not JSON"],
      ["null", "not a saved run"],
      ["[]", "not a saved run"],
      ['{"format":"socktool-load/9"}', 'format is "socktool-load/9"'],
      ['{"format":"socktool-load/1"}', "something is missing"],
      ['{"format":"socktool-load/1","summary":{"latency_us":{}}}', "something is missing"],
    ] as const
  ) {
    const error = assertThrows(() => parseRun(text), SavedRunError, message);
    assertEquals(error.code, "bad-run");
  }
});

/** A run of which in each second every figure had the value of that second. */
function runOf(seconds: readonly number[]): ComparableRun {
  const figures = (value: number) => {
    const latencies = new Latencies(library);
    latencies.record(value / 1_000);
    return {
      messages_per_s: value,
      bytes_per_s: value,
      latency_us: latencies.figures(),
    };
  };
  const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
  return {
    summary: figures(mean),
    intervals: seconds.map(figures),
  } as unknown as ComparableRun;
}

function verdicts(before: readonly number[], after: readonly number[]) {
  const all = compareRuns(runOf(before), runOf(after));
  const of = (name: string) => all.find((each) => each.name === name)!.verdict;
  return [of("messages_per_s"), of("p99")];
}

Deno.test("compareRuns() tells a difference from noise by how the seconds differ", () => {
  assertEquals(verdicts([900, 1000, 1100, 1000], [960, 1080, 1150, 1000]), [
    "within noise",
    "within noise",
  ]);
  // More messages are better, longer times are worse.
  assertEquals(verdicts([990, 1000, 1010], [1990, 2000, 2010]), ["better", "worse"]);
  assertEquals(verdicts([1990, 2000, 2010], [990, 1000, 1010]), ["worse", "better"]);
  assertEquals(verdicts([1000, 1000], [2000, 2000, 2000]), [
    "too short to tell",
    "too short to tell",
  ]);
});

Deno.test("compareRuns() is less sure of what a single message decides", () => {
  const before = runOf([900, 1000, 1100, 1000, 900, 1100]);
  const after = runOf([1050, 1150, 1250, 1150, 1050, 1250]);
  const all = new Map(compareRuns(before, after).map((each) => [each.name, each]));
  assertEquals([all.get("p50")!.verdict, all.get("max")!.verdict], ["worse", "within noise"]);
  assert(all.get("max")!.noise! > all.get("p50")!.noise!);
  assertEquals(all.get("mean")!.ratio, 1.15);
});
