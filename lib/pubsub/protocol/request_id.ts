import type { Refusal } from "./codes.ts";
import { isWholeNumber } from "./whole_number.ts";

/** Whether a value can be the `id` of a request: a whole number from 0 to 2^53 - 1. */
export const isId: (id: unknown) => id is number = isWholeNumber;

/** How an `id` that {@linkcode isId} does not accept is refused. */
export const BAD_ID: Refusal = {
  code: "bad-id",
  message: "The field id must be a whole number from 0 to 2^53 - 1",
};
