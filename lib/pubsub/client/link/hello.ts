import type { HeaderInit } from "../../../frame/mod.ts";
import { topicProblem } from "../../protocol/topic.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { type BrokerClientOptions, checkCredentials, type Will } from "../client_options.ts";
import { contentProblem, isStream } from "../publishing/publication_frame.ts";
import { PubSubError } from "../pubsub_error.ts";

/** What a client says first on a connection. The content is that of the last will. */
export interface Hello {
  readonly fields: HeaderInit;
  readonly content: Uint8Array | string | undefined;
}

/** Makes the first frame of a connection; asks for credentials. Rejects as the program's function. */
export async function makeHello(
  { name, credentials, will }: BrokerClientOptions,
  maxContentBytes: number,
  signal: AbortSignal,
): Promise<Hello> {
  const who = typeof credentials === "function" ? await credentials(signal) : credentials;
  checkCredentials(who);
  // A larger number, or `Infinity`, is no limit: no content is that large.
  const limit = Number.isSafeInteger(maxContentBytes) ? maxContentBytes : undefined;
  const fields = {
    version: PROTOCOL_VERSION,
    name,
    ...who,
    "max-content-length": limit,
  };
  if (will === undefined) return { fields, content: undefined };
  return {
    fields: { ...fields, will: will.topic, "content-type": will.contentType },
    content: will.content ?? "",
  };
}

/**
 * Checks a last will.
 *
 * @throws {PubSubError} `bad-topic`.
 * @throws {TypeError} if its content is none, or a stream.
 */
export function checkWill({ topic, content = "" }: Will): void {
  const problem = topicProblem(topic);
  if (problem) {
    throw new PubSubError("bad-topic", `Cannot leave a will on ${topic}: ${problem}`, { topic });
  }
  const fault = isStream(content)
    ? "the content is a stream; give text or a Uint8Array"
    : contentProblem(content);
  if (fault) throw new TypeError(`Cannot leave a will on ${topic}: ${fault}`);
}
