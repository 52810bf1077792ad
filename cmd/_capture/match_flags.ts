import { type FrameMatch, FrameMatchError, parseFrameMatch } from "../../lib/capture/mod.ts";
import { type FlagTable, jsonFlag, lowerFirst, UsageError, verboseFlag } from "../_cli/mod.ts";

/** Which frames are shown, and how; `--json` and `-v` among them. */
export const matchFlags = {
  match: {
    type: "string",
    placeholder: "CONDITIONS",
    repeat: true,
    help:
      "show frames for which all of these hold, such as 'op=pub topic=orders.>'; given again, " +
      "those of either",
  },
  hex: {
    type: "count",
    placeholder: "N",
    max: 1_048_576,
    help: "show the first N bytes of each content in hex, not its text",
  },
  redact: {
    type: "boolean",
    default: true,
    help: "show tokens and passwords as they are",
  },
  ...jsonFlag,
  verbose: { ...verboseFlag.verbose, help: "show contents whole, up to 1 MiB" },
} as const satisfies FlagTable;

/** Reads `--match`. @throws {UsageError} if one is no condition. */
export function readMatches({ match }: { readonly match: readonly string[] }): FrameMatch[] {
  try {
    return match.map(parseFrameMatch);
  } catch (error) {
    if (!(error instanceof FrameMatchError)) throw error;
    throw new UsageError(`--match: ${lowerFirst(error.message)}`);
  }
}

/** With `-v`, contents are shown up to this size. */
const WHOLE_BYTES = 1_048_576;

/** How much of a content is kept to be shown. */
export function keptFor({ verbose, hex }: {
  readonly verbose: boolean;
  readonly hex: number | undefined;
}): { readonly keptBytes?: number } {
  return verbose || hex !== undefined ? { keptBytes: WHOLE_BYTES } : {};
}
