import { checkGiven } from "../base/option_kinds.ts";
import { type Figure, figureOf, type Measured } from "./figures.ts";

/** How a figure is compared with a limit. */
export type ThresholdOperator = ">=" | "<=" | "==" | ">" | "<";

const OPERATORS: Readonly<
  Record<ThresholdOperator, (value: number, limit: number) => boolean>
> = {
  ">=": (value: number, limit: number) => value >= limit,
  "<=": (value: number, limit: number) => value <= limit,
  "==": (value: number, limit: number) => value === limit,
  ">": (value: number, limit: number) => value > limit,
  "<": (value: number, limit: number) => value < limit,
};

/** How a value for which the condition holds is described. */
const WORDS: Readonly<Record<ThresholdOperator, string>> = {
  ">": "above",
  ">=": "not below",
  "==": "equal to",
  "<": "below",
  "<=": "not above",
};

/** A condition under which a run has failed. */
export interface Threshold {
  /** The figure's name. */
  readonly figure: string;
  /** How it is compared. */
  readonly operator: ThresholdOperator;
  /** What it is compared with: in the summary's unit, or in percent of the messages that were due. */
  readonly limit: number;
  /** Whether the limit is a percentage. */
  readonly percent: boolean;
}

/** A condition that holds for a run. */
export interface MissedThreshold {
  /** The condition. */
  readonly threshold: Threshold;
  /** What was measured, in the limit's unit; `null` if nothing was. */
  readonly value: number | null;
  /** The same for people: which figure, its value, the limit, and how far it is off. */
  readonly message: string;
}

/** A text is not a threshold. */
export class ThresholdError extends Error {
  /** Always `ThresholdError`. */
  override readonly name = "ThresholdError";
  /** Always `bad-threshold`. */
  readonly code = "bad-threshold";
  /** The name of a figure that does not exist, if that is what is wrong. */
  readonly figure: string | undefined;

  /** {@linkcode parseThreshold} makes these; you only catch them. */
  constructor(message: string, figure?: string) {
    super(message);
    this.figure = figure;
  }
}

/**
 * Reads a condition under which a run has failed: a figure of the summary, an operator of `>`, `<`,
 * `>=`, `<=` and `==`, and a value with its unit.
 *
 * - `p99>5ms`, `p99.95>20ms`, `max>1s`: any percentile of the latency, `min`, `mean` and `max`;
 *   `service.p99` and `send_lateness.p99` in an open loop.
 * - `errors>0`, `errors>1%`, `unanswered>0`, `errors.reset>=2`: counts, or a percentage of the
 *   messages that were due.
 * - `messages_per_s<10k`, `bytes_per_s<1MiB`, `duration_s>30s`.
 *
 * @throws {ThresholdError} if the text is none.
 * @throws {TypeError} if it is no string.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { missedThresholds, parseThreshold, runLoad } from "@socktool/socktool/load";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const result = await runLoad({ address: server.address, count: 10 });
 * const thresholds = ["p99.95>10s", "errors>1%"].map(parseThreshold);
 * assertEquals(missedThresholds(thresholds, result), []);
 * ```
 */
export function parseThreshold(text: string): Threshold {
  checkGiven("text", text, "text");
  const [, name = "", operator, value = ""] =
    /^\s*([a-z][a-z0-9_.-]*)\s*(>=|<=|==|>|<)\s*(\S.*?)\s*$/.exec(text) ?? [];
  const refuse = (problem: string, unknown?: string) =>
    new ThresholdError(`Cannot read ${JSON.stringify(text)}: ${problem}`, unknown);
  if (operator === undefined) {
    throw refuse("write a figure, one of > < >= <= ==, and a value, as in 'p99>5ms'");
  }
  const figure = figureOf(name);
  if (!figure) throw refuse(`there is no figure ${name}`, name);
  const threshold = { figure: name, operator: operator as ThresholdOperator };
  if (value.endsWith("%")) {
    const limit = /^\d+(\.\d+)? ?%$/.test(value) ? parseFloat(value) : undefined;
    if (limit === undefined) throw refuse(`${value} is no percentage`);
    if (!figure.ofMessages) {
      throw refuse(`${name} is no count of messages; a percentage is of those`);
    }
    return { ...threshold, limit, percent: true };
  }
  const limit = figure.unit.parse(value);
  if (limit === undefined) {
    const orPercent = figure.ofMessages ? ", or a percentage of the messages that were due" : "";
    throw refuse(`${name} is compared with ${figure.unit.hint}${orPercent}`);
  }
  return { ...threshold, limit, percent: false };
}

/**
 * The conditions that hold for a run, which means that it has failed. One on a figure that was not
 * measured counts as holding: nothing passes because there is nothing to look at.
 *
 * @throws {ThresholdError} if there is no such figure.
 */
export function missedThresholds(
  thresholds: readonly Threshold[],
  run: Measured,
): MissedThreshold[] {
  return thresholds.flatMap((threshold): MissedThreshold[] => {
    const { operator, limit, percent } = threshold;
    const figure = figureOf(threshold.figure);
    if (!figure) {
      throw new ThresholdError(`There is no figure ${threshold.figure}`, threshold.figure);
    }
    const value = valueOf(figure, percent, run);
    if (value === null || value === undefined) {
      const why = value === undefined ? "it needs a rate" : "there was no message";
      return [{ threshold, value: null, message: `${threshold.figure} was not measured: ${why}` }];
    }
    if (!OPERATORS[operator](value, limit)) return [];
    return [{ threshold, value, message: messageOf(threshold, figure, value) }];
  });
}

function valueOf(figure: Figure, percent: boolean, run: Measured): number | null | undefined {
  const value = figure.read(run);
  if (!percent || typeof value !== "number") return value;
  const { due } = run.summary;
  return due > 0 ? value / due * 100 : null;
}

function messageOf(
  { figure: name, operator, limit, percent }: Threshold,
  figure: Figure,
  value: number,
): string {
  const format = percent ? percentText : figure.unit.format;
  const by = Math.abs(value - limit);
  const share = by / limit * 100;
  // From ten times the limit on, a percentage says no more than the value.
  const relative = !percent && share < 1_000 ? ` (${percentText(share)})` : "";
  const distance = by > 0 ? ` by ${format(by)}${relative}` : "";
  return `${name} is ${format(value)}, ${WORDS[operator]} ${format(limit)}${distance}`;
}

function percentText(value: number): string {
  return `${Number(value.toPrecision(3))} %`;
}
