import type { LoadSummary } from "../../lib/load/mod.ts";
import { suggestion } from "../_cli/nearest.ts";
import { UsageError } from "../_cli/mod.ts";
import { type Figure, FIGURES } from "./figures.ts";

/** A condition under which a run has failed. */
export interface Threshold {
  readonly name: string;
  readonly figure: Figure;
  readonly operator: Operator;
  readonly limit: number;
}

const OPERATORS = {
  ">=": (value: number, limit: number) => value >= limit,
  "<=": (value: number, limit: number) => value <= limit,
  ">": (value: number, limit: number) => value > limit,
  "<": (value: number, limit: number) => value < limit,
} as const;

type Operator = keyof typeof OPERATORS;

/** How a value for which the condition holds is described. */
const WORDS: Readonly<Record<Operator, string>> = {
  ">": "above",
  ">=": "not below",
  "<": "below",
  "<=": "not above",
};

/**
 * Reads `p99>5ms`.
 *
 * @throws {UsageError} if the text is no condition, or names no figure of the summary.
 */
export function parseThreshold(text: string): Threshold {
  const [, name = "", operator, value = ""] =
    /^\s*([a-z][a-z0-9_.-]*)\s*(>=|<=|>|<)\s*(\S.*?)\s*$/.exec(text) ?? [];
  const refuse = (problem: string) =>
    new UsageError(`--fail-if: cannot read ${JSON.stringify(text)}: ${problem}`);
  if (operator === undefined) throw refuse("write a figure, < or >, and a value, as in 'p99>5ms'");
  const figure = FIGURES.get(name);
  if (!figure) {
    const names = [...FIGURES.keys()];
    const hint = suggestion(name, names) || ` (there are ${names.join(", ")})`;
    throw refuse(`there is no figure ${name}${hint}`);
  }
  const limit = figure.unit.parse(value);
  if (limit === undefined) throw refuse(`${name} is compared with ${figure.unit.hint}`);
  return { name, figure, operator: operator as Operator, limit };
}

/** A line for each condition that holds for a run, which says by how much. */
export function missedThresholds(
  thresholds: readonly Threshold[],
  summary: LoadSummary,
): string[] {
  return thresholds.flatMap(({ name, figure, operator, limit }) => {
    const value = figure.read(summary);
    if (value === undefined) return [`${name} was not measured: it needs --rate`];
    if (figure.ofMessages && summary.messages === 0) {
      return [`${name} was not measured: no message came back`];
    }
    if (!OPERATORS[operator](value, limit)) return [];
    const { format } = figure.unit;
    const by = Math.abs(value - limit);
    const percent = by / limit * 100;
    // From ten times the limit on, a percentage says no more than the value.
    const share = percent < 1_000 ? ` (${Number(percent.toPrecision(3))} %)` : "";
    const distance = by > 0 ? ` by ${format(by)}${share}` : "";
    return [`${name} is ${format(value)}, ${WORDS[operator]} ${format(limit)}${distance}`];
  });
}
