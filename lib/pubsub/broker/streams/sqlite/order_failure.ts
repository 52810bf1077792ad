import { asSqliteError } from "../../../../sqlite/mod.ts";
import { StreamError } from "../stream_error.ts";
import type { OrderFailure } from "./orders.ts";

/** What a thread is told of an error. */
export function failureOf({ code, message, stale }: StreamError): OrderFailure {
  return { code, message, stale };
}

/** The error that a failure tells of. */
export function errorOf({ code, message, stale }: OrderFailure): StreamError {
  return new StreamError(code, message, stale);
}

/**
 * Why something could not be written. After `storage-failed` nothing more must be written: when an fsync
 * has failed, trying again does not tell whether the disk has what was written.
 *
 * @param path Where the database is.
 */
export function failureToWrite(error: unknown, path: string): OrderFailure {
  const { code, message } = asSqliteError(error, path, "write to");
  if (code === "full") {
    const text = "The disk of the store is full; make room on it, or purge a stream. " +
      "What was stored before is kept";
    return { code: "storage-full", message: text };
  }
  if (code === "locked") {
    const text = "Another program writes to the store's database; try again in a second";
    return { code: "unavailable", message: text };
  }
  return { code: "storage-failed", message: `${message}; streams can only be read` };
}
