import {
  describePlan,
  FIGURE_NAMES,
  type LoadPlan,
  missedThresholds,
  parseThreshold,
  runLoad,
  type Threshold,
  ThresholdError,
} from "../../lib/load/mod.ts";
import { type Context, EXIT, lowerFirst, UsageError } from "../_cli/mod.ts";
import { suggestion } from "../../lib/base/nearest.ts";
import { settingsLine } from "./load_lines.ts";
import {
  checkFiles,
  loadObserver,
  printResult,
  readRun,
  type ResultFiles,
  writeResult,
} from "./load_output.ts";

/** The flags of a load that say what is done with its result. */
export interface ResultFlags extends ResultFiles {
  readonly compare: string | undefined;
  readonly json: boolean;
}

/** Exit codes of a load besides 0, 1 and 2. */
export const LOAD_EXIT_CODES = {
  1: "failed: a connection or a message failed, or the run ended early",
  3: "a condition of --fail-if was met",
} as const;

/** What the help says at its end. */
export const LOAD_NOTES: readonly string[] = [
  "Without --rate the load is a closed loop: each connection sends its next message when the last " +
  "is answered. With --rate it is an open loop: messages are due on a schedule, and a latency " +
  "includes the time that the message waited for a stalled server. Each worker of an open loop may " +
  "keep a core busy.",
  "Each message that was due is accounted for: answered, unanswered, or not sent. One without an " +
  "answer counts in the latencies with the time that it had waited.",
  "--fail-if takes any figure of the summary: due, sent, answered, unanswered, not_sent, errors, " +
  "each also as a percentage of the messages that were due; bytes, duration_s, connections, " +
  "messages_per_s, bytes_per_s; min, mean, max and any percentile, such as p99.95; the same after " +
  "service. and send_lateness.; errors.connect, .reset, .closed, .wrong, .no-answer, .unanswered, " +
  ".not-sent, .unexpected, .refused. The operators are > < >= <= and ==.",
];

/**
 * Reads `--fail-if`.
 *
 * @throws {UsageError} if one is no condition.
 */
export function thresholdsOf(texts: readonly string[]): Threshold[] {
  return texts.map((text) => {
    try {
      return parseThreshold(text);
    } catch (error) {
      if (!(error instanceof ThresholdError)) throw error;
      const { figure } = error;
      const names = figure === undefined
        ? ""
        : suggestion(figure, FIGURE_NAMES) || ` (there are ${FIGURE_NAMES.join(", ")})`;
      throw new UsageError(`--fail-if: ${lowerFirst(error.message)}${names}`);
    }
  });
}

/** Runs a load, and prints and writes what it measured. Resolves to the exit code. */
export async function runMeasured(
  plan: LoadPlan,
  thresholds: readonly Threshold[],
  flags: ResultFlags,
  context: Context,
): Promise<number | undefined> {
  const before = flags.compare === undefined ? undefined : await readRun(flags.compare);
  await checkFiles(flags);
  const settings = describePlan(plan);
  if (!flags.json) context.log.info(settingsLine(settings));
  const result = await runLoad({
    ...plan,
    signal: context.signal,
    observer: loadObserver(context, flags.json, settings),
  });
  context.progress.clear();
  printResult(result, before, context, { json: flags.json, percentiles: plan.percentiles });
  await writeResult(result, flags, context);
  const missed = missedThresholds(thresholds, result);
  for (const { message } of missed) context.log.error(message);
  if (context.signal.aborted) return undefined;
  if (missed.length > 0) return EXIT.threshold;
  const { errors, ended_early } = result.summary;
  return errors > 0 || ended_early ? EXIT.failed : EXIT.ok;
}
