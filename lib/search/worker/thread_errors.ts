import { ErrorCodec, type PostedError } from "../../base/threads/error_codec.ts";
// Alone: a thread without a database starts without the rest of the room.
import { SqliteError } from "../../sqlite/sqlite_error.ts";
import { SearchError } from "../error.ts";

/** Posts errors between the threads; those of these classes keep their class. */
export const ERRORS: ErrorCodec = new ErrorCodec(SearchError, SqliteError);

/** An error that a worker posted, as one to throw: any other than a `SearchError` is its cause. */
export function searchErrorOf(posted: PostedError): SearchError {
  const error = ERRORS.decode(posted);
  if (error instanceof SearchError) return error;
  return new SearchError("index-failed", String(error), { cause: error });
}
