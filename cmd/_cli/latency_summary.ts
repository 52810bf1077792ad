import type { Latencies } from "../../lib/base/latencies.ts";
import { formatCount, formatDuration, formatRate } from "../../lib/base/units.ts";

/**
 * Sums up the latencies of requests, as a line for people and as an object for programs.
 *
 * @param durationMs How long all of them took together.
 */
export function summarizeLatencies(
  latencies: Latencies,
  durationMs: number,
): { readonly text: string; readonly json: object } {
  const { count } = latencies;
  const perSecond = count / durationMs * 1_000;
  const figures = latencies.figures();
  const shown = Object.entries(figures).map(([name, us]) =>
    us === null ? "" : `${name} ${formatDuration(us / 1_000)}`
  );
  return {
    text: `${formatCount(count, "answer")} in ${formatDuration(durationMs)}, ` +
      `${formatRate(perSecond, "answer")}; latency: ${shown.join(", ")}`,
    json: {
      answers: count,
      duration_s: durationMs / 1_000,
      answers_per_s: perSecond,
      latency_us: figures,
    },
  };
}
