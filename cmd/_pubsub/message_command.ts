import { before } from "../../lib/base/before.ts";
import type { ConsumedMessage } from "../../lib/pubsub/mod.ts";
import { formatDuration } from "../_cli/mod.ts";
import { ProcessGroup } from "./process_group.ts";

/**
 * Runs a shell command for a message: the content is its stdin, and what is known of the message is
 * in its environment, never in the command line.
 *
 * @param timeoutMs It is ended after this time.
 * @param print Is called with each piece of its output; the next is read when it is done with that.
 * @returns Why it failed; `undefined` if it did not.
 */
export async function runForMessage(
  command: string,
  message: ConsumedMessage,
  timeoutMs: number,
  print: (piece: Uint8Array) => void | Promise<void>,
): Promise<string | undefined> {
  const { topic, stream, consumer, seq, time, attempt, header, content } = message;
  const env = {
    SOCKTOOL_TOPIC: topic,
    SOCKTOOL_STREAM: stream,
    SOCKTOOL_CONSUMER: consumer,
    SOCKTOOL_SEQ: String(seq),
    SOCKTOOL_TIME: new Date(time).toISOString(),
    SOCKTOOL_ATTEMPT: String(attempt),
    SOCKTOOL_CONTENT_TYPE: header["content-type"],
  };
  const group = new ProcessGroup(command, env, timeoutMs, content, print);
  if (!await before(group.ended, timeoutMs)) {
    await group.end();
    return `it takes longer than ${formatDuration(timeoutMs)}`;
  }
  const code = await group.ended;
  return code === 0 ? undefined : `exit code ${code}`;
}
