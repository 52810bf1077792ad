import { guard, reportError } from "../../base/report.ts";

/**
 * Tells of an error that no promise carries to the program.
 *
 * @param what What failed, as the beginning of a sentence without a full stop.
 */
export type TellError = (error: unknown, what: string) => void;

/** Tells errors to a program's callback; without one, or where it fails itself, reports them. */
export function errorTeller(onError: ((error: unknown) => void) | undefined): TellError {
  return (error, what) => {
    if (onError === undefined) return reportError(error, what);
    guard("The callback onError failed", () => onError(error), (failure, failed) => {
      reportError(error, what);
      reportError(failure, failed);
    });
  };
}
