import { ErrorCodec, type PostedError } from "../base/threads/error_codec.ts";
import { AddressError, ConnectionError } from "../net/mod.ts";
import { LoadError } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";
import type { ShareEnd, StartSignal } from "./load_share.ts";
import type { EncodedTally } from "./tally.ts";

/** What a thread of a load is told to do. */
export type LoadOrder =
  | { readonly type: "connect"; readonly part: LoadPart }
  | { readonly type: "run"; readonly start: StartSignal }
  | { readonly type: "stop" };

/** What a thread of a load reports. */
export type LoadThreadReport =
  | { readonly type: "connecting"; readonly connected: number; readonly failed: number }
  | { readonly type: "connected"; readonly connected: number }
  | { readonly type: "failed"; readonly error: PostedError }
  | {
    readonly type: "interval";
    readonly durationMs: number;
    readonly tally: EncodedTally;
    readonly openConnections: number;
  }
  | { readonly type: "finished"; readonly end: ShareEnd };

/** Posts errors between the threads; those of these classes keep their class. */
export const ERRORS: ErrorCodec = new ErrorCodec(LoadError, ConnectionError, AddressError);
