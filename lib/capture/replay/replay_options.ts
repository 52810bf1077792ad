import { checkOptions, type OptionKinds, refusal } from "../../base/option_kinds.ts";
import { numericOption, positiveOption } from "../../base/numeric_options.ts";
import { timerMs } from "../../base/timer_ms.ts";
import type { ReplayDifference } from "./answer_check.ts";

/**
 * When something is sent: `answers`: when all that was recorded before it has come; `recorded`: at
 * the recorded time; `at-once`: as fast as the connection takes it.
 */
export type ReplayPace = "answers" | "recorded" | "at-once";

const PACES: readonly ReplayPace[] = ["answers", "recorded", "at-once"];

/** What both sides of a replay take. */
export interface ReplayOptions {
  /** When something is sent. @default {"answers"} */
  readonly pace?: ReplayPace | undefined;
  /** With the recorded times: how many times as fast. @default {1} */
  readonly speed?: number | undefined;
  /** How long to wait for what was recorded and does not come. @default {10_000} */
  readonly answerTimeoutMs?: number | undefined;
  /** Whether what comes is compared with what was recorded. @default {false} */
  readonly check?: boolean | undefined;
  /**
   * What may differ: paths of fields in a JSON content or a header, such as `hits.score` or `epoch`;
   * indexes of lists are left out.
   */
  readonly ignore?: readonly string[] | undefined;
  /** Is called for each answer that differs, or did not come. */
  readonly onDifference?: ((difference: ReplayDifference) => void) | undefined;
  /** Stops the replay. */
  readonly signal?: AbortSignal | undefined;
}

/** The numbers of {@linkcode ReplayOptions}. */
export interface ReplayNumbers {
  readonly speed: number;
  /** As a timer takes it. */
  readonly answerTimeoutMs: number;
}

const SPEED = positiveOption(1);

const KINDS: OptionKinds<ReplayOptions> = {
  check: "flag",
  ignore: "texts",
  onDifference: "function",
  signal: "signal",
};

/**
 * Checks all options, and gives those that are numbers.
 *
 * @throws {TypeError | RangeError} if one is not what it has to be.
 */
export function replayNumbers(options: ReplayOptions): ReplayNumbers {
  checkOptions(options, KINDS);
  const { pace, speed, answerTimeoutMs } = options;
  if (pace !== undefined && !PACES.includes(pace)) {
    throw new TypeError(refusal("pace", pace, `one of ${PACES.join(", ")}`));
  }
  return {
    speed: numericOption("speed", speed, SPEED),
    answerTimeoutMs: timerMs("answerTimeoutMs", answerTimeoutMs, 10_000),
  };
}

/** What came of a replay. */
export interface ReplayResult {
  /** Connections that were played. */
  readonly connections: number;
  /** Bytes that were sent. */
  readonly sentBytes: number;
  /** Frames that came. */
  readonly receivedFrames: number;
  /** Bytes that came. */
  readonly receivedBytes: number;
  /** Connections on which something that was recorded did not come in time. */
  readonly late: number;
  /** Connections that broke. */
  readonly failed: number;
  /** The first failure of a connection. */
  readonly failure: unknown;
  /** Answers that differ from the recorded ones, or did not come. */
  readonly differences: number;
}
