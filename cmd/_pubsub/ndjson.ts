import type { PublishOptions } from "../../lib/pubsub/client/mod.ts";
import { topicProblem } from "../../lib/pubsub/protocol/topic.ts";
import { UsageError } from "../_cli/mod.ts";
import { isUtf8 } from "./content_text.ts";
import { ownFields } from "./header_fields.ts";
import type { Outgoing } from "./outgoing.ts";

/** Lines of `sub --json` that are no message. */
const EVENTS: readonly unknown[] = ["missed", "connected", "disconnected", "error", "summary"];

/** What happened where a message of `sub --json` would stand. */
export interface IncomingEvent {
  readonly type: string;
  /** Of `missed`: what was subscribed to, and how many messages; `null` if that is not known. */
  readonly filter?: unknown;
  readonly count?: unknown;
}

/**
 * Reads a line of `--ndjson`: `{"topic", "text" or "base64", "header"?}`, or any line that
 * `sub --json` prints.
 *
 * @param line Its number, from 1, for messages.
 * @param topic For lines that have none.
 * @returns The publication, or what `sub` told that is no message.
 * @throws {UsageError} if it is not such a line.
 */
export function parseNdjsonLine(
  text: string,
  line: number,
  topic: string | undefined,
): Outgoing | IncomingEvent {
  const fail = (problem: string) => new UsageError(`stdin, line ${line}: ${problem}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("it is not JSON");
  }
  if (!isObject(value)) throw fail("it is not a JSON object");
  const { topic: own = topic, text: words, base64, header } = value;
  if (words === undefined && base64 === undefined && EVENTS.includes(value["type"])) {
    return value as unknown as IncomingEvent;
  }
  if (typeof own !== "string") throw fail('"topic" is missing, or not a text');
  const problem = topicProblem(own);
  if (problem) throw fail(`"topic": ${problem}`);
  if (header !== undefined && !isObject(header)) throw fail('"header" is not an object');
  const options = header === undefined ? undefined : optionsOf(header, fail);
  const publication = { topic: own, options, line };
  // Where both are there, as of texts in another encoding than UTF-8, the bytes are exact.
  if (base64 !== undefined) return { ...publication, content: bytesOf(base64, fail) };
  if (words === undefined) throw fail('there must be "text" or "base64"');
  if (typeof words !== "string") throw fail('"text" is not a text');
  const encoding = header?.["content-encoding"];
  if (encoding !== undefined && !isUtf8(String(encoding))) {
    throw fail(`"text" cannot be sent as ${encoding}: there must be "base64"`);
  }
  return { ...publication, content: words };
}

/** How a publication with such a header was published. */
function optionsOf(
  header: Readonly<Record<string, unknown>>,
  fail: (problem: string) => UsageError,
): PublishOptions {
  const { retain, "reply-to": replyTo, "content-type": contentType, byteorder } = header;
  if (retain !== undefined && typeof retain !== "boolean") {
    throw fail('"retain" in "header" is not true or false');
  }
  if (contentType !== undefined && typeof contentType !== "string") {
    throw fail('"content-type" in "header" is not a text');
  }
  if (byteorder !== undefined && byteorder !== "little" && byteorder !== "big") {
    throw fail('"byteorder" in "header" is neither "little" nor "big"');
  }
  if (replyTo !== undefined) {
    const problem = topicProblem(replyTo);
    if (problem) throw fail(`"reply-to" in "header": ${problem}`);
  }
  return { retain, replyTo: replyTo as string | undefined, contentType, fields: ownFields(header) };
}

function bytesOf(base64: unknown, fail: (problem: string) => UsageError): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64 as string);
  } catch {
    throw fail('"base64" is not base64');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
