/**
 * What the fields of requests must be, and how a request is refused where one is not.
 *
 * @module
 */
import type { FrameHeader } from "../../frame/mod.ts";
import type { Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import { filterProblem, groupProblem } from "../protocol/topic.ts";
import { isWholeNumber } from "../protocol/whole_number.ts";

/**
 * How a field of a header is refused that has another value than it must.
 *
 * @param expected What it must be: "a text".
 */
export function badField(field: string, expected: string): Refusal {
  return { code: "bad-field", message: `The field ${field} must be ${expected}` };
}

/** Whether a value can be the `id` of a request: a whole number from 0 to 2^53 - 1. */
export const isId: (id: unknown) => id is number = isWholeNumber;

/** How an `id` that {@linkcode isId} does not accept is refused. */
export const BAD_ID: Refusal = {
  code: "bad-id",
  message: "The field id must be a whole number from 0 to 2^53 - 1",
};

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
