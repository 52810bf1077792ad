/** What `talking_thread.ts` and those who start it have in common. */
import { ErrorCodec } from "../../../lib/base/threads/error_codec.ts";

/** What it can be told. */
export type Order =
  | { readonly type: "say"; readonly text: string }
  | { readonly type: "throw" | "reject" | "throw later" | "reject later" | "report what is none" }
  | { readonly type: "lose an error"; readonly text: string }
  | { readonly type: "hand back"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "flood" };

/** An error with everything that errors of the library have. */
export class TalkError extends Error {
  override readonly name = "TalkError";
  readonly code = "talk";
  readonly at = { line: 5 };
}

/** Reads and writes the thread's errors. */
export const TALK_ERRORS = new ErrorCodec(TalkError);

/** The error that the thread dies of. */
export function talkError(): TalkError {
  return new TalkError("told to fail", { cause: new RangeError("behind it") });
}
