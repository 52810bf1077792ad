import { topicProblem } from "../../lib/pubsub/mod.ts";
import { UsageError } from "../_cli/mod.ts";

/** A publication from the command line or stdin. */
export interface Outgoing {
  readonly topic: string;
  readonly content: Uint8Array | string;
}

/**
 * Reads a line of `--ndjson`: `{"topic", "text" or "base64"}`.
 *
 * @param line Its number, from 1, for messages.
 * @param topic For lines that have none.
 * @throws {UsageError} if it is not such a line.
 */
export function parseNdjsonLine(text: string, line: number, topic: string | undefined): Outgoing {
  const fail = (problem: string) => new UsageError(`stdin, line ${line}: ${problem}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fail("it is not a JSON object");
  }
  const { topic: own = topic, text: words, base64 } = value as Record<string, unknown>;
  if (typeof own !== "string") throw fail('"topic" is missing, or not a text');
  const problem = topicProblem(own);
  if (problem) throw fail(`"topic": ${problem}`);
  if ((words === undefined) === (base64 === undefined)) {
    throw fail('there must be either "text" or "base64"');
  }
  if (words !== undefined) {
    if (typeof words !== "string") throw fail('"text" is not a text');
    return { topic: own, content: words };
  }
  try {
    const bytes = atob(base64 as string);
    return { topic: own, content: Uint8Array.from(bytes, (char) => char.charCodeAt(0)) };
  } catch {
    throw fail('"base64" is not base64');
  }
}
