/** The tutorial's client with many connections, and a load tool: `socktool multiconn-client`. */
import { describePlan, runLoad, TUTORIAL_MESSAGES } from "../lib/load/mod.ts";
import {
  checkOpenFiles,
  clientTlsFlags,
  clientTlsOf,
  defineCommand,
  EXIT,
  outputFlags,
  runMain,
} from "./_cli/mod.ts";
import { asksForLoad, loadFlags, planOf } from "./_load/load_flags.ts";
import { settingsLine } from "./_load/load_lines.ts";
import {
  checkFiles,
  loadObserver,
  printResult,
  readRun,
  writeResult,
} from "./_load/load_output.ts";
import { runTutorial } from "./_load/run_tutorial.ts";
import { missedThresholds, parseThreshold } from "./_load/thresholds.ts";

export const command = defineCommand({
  name: "multiconn-client",
  summary:
    "send the tutorial's two messages on many connections, or measure an echo server under load",
  arguments: {
    address: { type: "address", default: "127.0.0.1:5634", help: "the server" },
    "num-conns": { type: "count", min: 1, max: 1_000_000, help: "how many connections to open" },
  },
  flags: {
    ...loadFlags,
    "connect-timeout": {
      type: "duration",
      default: "10s",
      min: 1,
      help: "give up connecting after this time",
    },
    timeout: {
      type: "duration",
      default: "10s",
      min: 1,
      help: "give up on a connection when bytes are due and none comes for this long",
    },
    ...clientTlsFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool multiconn-client 127.0.0.1 5634 2", "the tutorial's client"],
    [
      "socktool multiconn-client :5634 50 --size 64 --duration 10s",
      "the most that the server can do: a closed loop",
    ],
    [
      "socktool multiconn-client :5634 50 --rate 10k --duration 30s --warmup 2s --report load.html",
      "what users would feel at 10,000 messages per second: an open loop",
    ],
    [
      "socktool multiconn-client :5634 100 --rate 5k --fail-if 'p99>5ms' --fail-if 'errors>0'",
      "fail a build when the server has become slow",
    ],
    [
      "socktool multiconn-client :5634 50 --size 1KiB --compare before.json --save after.json",
      "before and after a change",
    ],
  ],
  notes: [
    "Any of the flags under Load and Result turns it into a load tool. Without --rate the load is a " +
    "closed loop: each connection sends its next message when the last has come back. With --rate " +
    "it is an open loop: messages are due on a schedule, and a latency includes the time that the " +
    "message waited for a stalled server. Each worker of an open loop may keep a core busy.",
    "--fail-if takes any figure of the summary: messages, bytes, errors, duration_s, connections, " +
    "messages_per_s, bytes_per_s; min, mean, p50, p90, p99, p99.9, p99.99, max; the same after " +
    "service. and send_lateness.; errors.connect, .reset, .closed, .wrong, .no-answer, .unanswered.",
  ],
  exitCodes: {
    1: "failed, or a connection or a message failed",
    3: "a condition of --fail-if was met",
  },
  async run({ flags, args, given }, context) {
    const { address, "num-conns": connections } = args;
    const thresholds = flags["fail-if"].map(parseThreshold);
    const threads = Math.min(flags.workers, connections);
    const problem = await checkOpenFiles(connections, { threads });
    if (problem !== undefined) throw new Error(problem);
    const tls = await clientTlsOf(flags, context);
    if (!asksForLoad(given)) return await runTutorial(address, connections, tls, flags, context);
    const before = flags.compare === undefined ? undefined : await readRun(flags.compare);
    await checkFiles(flags);
    const plan = planOf(address, connections, tls, flags, TUTORIAL_MESSAGES);
    if (!flags.json) context.log.info(settingsLine(describePlan(plan)));
    const result = await runLoad({
      ...plan,
      signal: context.signal,
      observer: loadObserver(context, flags.json, connections),
    });
    context.progress.clear();
    printResult(result, before, context, flags.json);
    await writeResult(result, flags, context);
    const missed = missedThresholds(thresholds, result.summary);
    for (const text of missed) context.log.error(text);
    if (context.signal.aborted) return;
    return missed.length > 0 ? EXIT.threshold : result.summary.errors > 0 ? EXIT.failed : EXIT.ok;
  },
});

if (import.meta.main) await runMain(command);
