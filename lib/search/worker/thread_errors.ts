import { ErrorCodec, type PostedError } from "../../base/threads/error_codec.ts";
import { SqliteError } from "../../sqlite/mod.ts";
import { SearchError } from "../error.ts";

/** Posts errors between the threads; those of these classes keep their class. */
export const ERRORS: ErrorCodec = new ErrorCodec(SearchError, SqliteError);

/** An error that a worker posted, as one to throw: any other than a `SearchError` is its cause. */
export function searchErrorOf(posted: PostedError): SearchError {
  const error = ERRORS.decode(posted);
  if (error instanceof SearchError) return error;
  return new SearchError("index-failed", String(error), { cause: error });
}
