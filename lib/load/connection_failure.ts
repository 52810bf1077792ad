import { messageOf } from "../base/message_of.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import { LoadError } from "./load_error.ts";

/** The error to report where connection `id` could not be made. */
export function connectFailure(id: number, cause: unknown): LoadError {
  const reason = cause instanceof ConnectionError
    ? cause.message.replace("Cannot", "cannot")
    : messageOf(cause);
  return new LoadError("connect", `connection ${id}: ${reason}`, { cause });
}

/** The error to report where connection `id` failed: what a read, a write or an exchange threw. */
export function connectionFailure(id: number, address: Address, cause: unknown): LoadError {
  if (cause instanceof LoadError) {
    return new LoadError(cause.code, `connection ${id}: ${cause.message}`, { cause: cause.cause });
  }
  const error = cause instanceof ConnectionError
    ? cause
    : new ConnectionError("read", address, cause);
  const what = error.code === "reset" ? "the server broke it off" : error.message;
  return new LoadError("reset", `connection ${id}: ${what}`, { cause: error });
}
