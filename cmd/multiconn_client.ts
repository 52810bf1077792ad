/** The tutorial's client with many connections, and a load tool: `socktool multiconn-client`. */
import { clientTlsFlags, clientTlsOf, defineCommand, outputFlags, runMain } from "./_cli/mod.ts";
import { checkOpenFiles } from "./_cli/open_files.ts";
import { asksForLoad, connectionFlags, loadFlags, planOf } from "./_load/load_flags.ts";
import { LOAD_EXIT_CODES, LOAD_NOTES, runMeasured, thresholdsOf } from "./_load/run_measured.ts";
import { runTutorial } from "./_load/run_tutorial.ts";

export const command = defineCommand({
  name: "multiconn-client",
  summary:
    "send the tutorial's two messages on many connections, or measure an echo server under load",
  arguments: {
    address: { type: "address", default: "127.0.0.1:5634", help: "the server" },
    "num-conns": { type: "count", min: 1, max: 1_000_000, help: "how many connections to open" },
  },
  flags: { ...loadFlags, ...connectionFlags, ...clientTlsFlags, ...outputFlags },
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
  notes: ["Any of the flags under Load and Result turns it into a load tool.", ...LOAD_NOTES],
  exitCodes: LOAD_EXIT_CODES,
  async run({ flags, args, given }, context) {
    const { address, "num-conns": connections } = args;
    const thresholds = thresholdsOf(flags["fail-if"]);
    const threads = Math.min(flags.workers, connections);
    const problem = await checkOpenFiles(connections, { threads });
    if (problem !== undefined) throw new Error(problem);
    const tls = await clientTlsOf(flags, context);
    if (!asksForLoad(given)) return await runTutorial(address, connections, tls, flags, context);
    const plan = await planOf(address, connections, tls, flags);
    return await runMeasured(plan, thresholds, flags, context);
  },
});

if (import.meta.main) await runMain(command);
