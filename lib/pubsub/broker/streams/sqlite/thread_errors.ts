import { ErrorCodec } from "../../../../base/threads/error_codec.ts";
import { SqliteError } from "../../../../sqlite/mod.ts";
import { StreamError } from "../stream_error.ts";

/** Posts errors between the threads of a store; those of these classes keep their class. */
export const ERRORS: ErrorCodec = new ErrorCodec(StreamError, SqliteError);
