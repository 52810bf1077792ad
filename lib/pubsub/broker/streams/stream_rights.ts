import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import type { Principal } from "../../../access/mod.ts";

/** What may be done with a stream. */
export const STREAM_RIGHTS = ["create", "store", "read", "consume", "purge"] as const;

/** One of {@linkcode STREAM_RIGHTS}. */
export type StreamRight = typeof STREAM_RIGHTS[number];

/** What is wrong with the name of a stream or a consumer, as the end of a sentence. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return undefined;
  return "it must be 1 to 64 letters, digits, _ or - of ASCII";
}

/** Whether a principal may do something with a stream. */
export function mayDo(principal: Principal, stream: string, right: StreamRight): boolean {
  const { allow } = principal.permission("streams");
  return allow.includes(`${stream}:${right}`) || allow.includes(`*:${right}`);
}

/** Whether a principal may do anything with a stream. */
export function mayDoAnything(principal: Principal, stream: string): boolean {
  return STREAM_RIGHTS.some((right) => mayDo(principal, stream, right));
}

/** Why a principal may not do something with a stream; `undefined` if it may. */
export function streamRefusal(
  principal: Principal,
  stream: string,
  right: StreamRight,
): Refusal | undefined {
  if (mayDo(principal, stream, right)) return undefined;
  const on = stream === "*" ? "all streams" : `the stream ${quote(stream)}`;
  const message = `${principal.name} has not the right ${right} on ${on}`;
  return { code: "forbidden", message };
}
