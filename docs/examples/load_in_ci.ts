/**
 * A load test with thresholds, as a step of CI: the exit code is 1 where one is missed.
 * Prints:
 *
 * 400 of 400 answered
 * all thresholds are met
 */
import { serveEcho } from "@socktool/socktool/echo";
import { missedThresholds, parseThreshold, runLoad } from "@socktool/socktool/load";

/** What is promised to users; the load tool's `--fail-if` takes the same. */
const THRESHOLDS = ["errors>0", "p99>2s", "messages_per_s<100"].map(parseThreshold);

// Your server in its place: `address` may be that of any that answers.
await using server = await serveEcho("127.0.0.1:0");

const run = await runLoad({
  address: server.address,
  connections: 10,
  // 200 messages are due each second, whatever the server does; latency counts from then.
  ratePerSecond: 200,
  durationMs: 2_000,
});

console.log(`${run.summary.answered} of ${run.summary.due} answered`);
const missed = missedThresholds(THRESHOLDS, run);
for (const { message } of missed) console.log(message);
if (missed.length === 0) console.log("all thresholds are met");
Deno.exitCode = missed.length === 0 ? 0 : 1;
