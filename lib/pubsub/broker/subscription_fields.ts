import type { FrameHeader } from "../../frame/mod.ts";
import { badField } from "../protocol/bad_field.ts";
import type { Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import { filterProblem, groupProblem } from "../protocol/topic.ts";

/** What is wrong with the filter and the group that a request names. */
export function filterRefusal({ topic, group }: FrameHeader): Refusal | undefined {
  if (topic === undefined) return { code: "bad-filter", message: "The field topic is missing" };
  const problem = filterProblem(topic);
  if (problem !== undefined) {
    return { code: "bad-filter", message: `Cannot use ${quote(topic)} as a filter: ${problem}` };
  }
  const groupFault = group === undefined ? undefined : groupProblem(group);
  if (groupFault === undefined) return undefined;
  return { code: "bad-group", message: `Cannot use ${quote(group)} as a group: ${groupFault}` };
}

/** The refusal of a `max` that is none. */
export const BAD_MAX = badField("max", "a whole number from 1 to 2^53 - 1");

/** Whether a `max` is one. */
export function isMax(max: unknown): max is number {
  return Number.isSafeInteger(max) && (max as number) > 0;
}
