import type { CloseReason } from "../../net/mod.ts";
import type { ByeReason } from "../protocol/codes.ts";

const CLOSE_REASONS: Partial<Record<ByeReason, CloseReason>> = {
  shutdown: "drained",
  idle: "idle",
  bye: "done",
  unauthorized: "unauthorized",
  "over-budget": "over-budget",
};

/** What the reason of a `bye` is for the connection. */
export function closeReasonOf(reason: ByeReason): CloseReason {
  return CLOSE_REASONS[reason] ?? "protocol";
}
