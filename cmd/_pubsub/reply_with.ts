import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import { describeError, type Log } from "../_cli/mod.ts";
import { textOrBytes } from "./text_or_bytes.ts";

/**
 * Answers a request with what a shell command prints. The command gets the content on stdin and
 * the topic as SOCKTOOL_TOPIC. If it fails, the reason is logged and no reply is sent, so the
 * requester's time runs out.
 */
export async function replyWith(command: string, message: PubSubMessage, log: Log): Promise<void> {
  if (message.replyTo === undefined) {
    log.warn(`${message.topic}: no reply is asked for`);
    return;
  }
  try {
    // /bin/sh is the only program that a packed program may run.
    const [shell, flag] = Deno.build.os === "windows" ? ["cmd", "/c"] : ["/bin/sh", "-c"];
    const child = new Deno.Command(shell, {
      args: [flag, command],
      env: { SOCKTOOL_TOPIC: message.topic },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const [{ code, stdout }] = await Promise.all([child.output(), feed(child, message.content)]);
    if (code === 0) await message.respond(textOrBytes(stdout));
    else log.error(`${command}: exit code ${code}; no reply is sent`);
  } catch (error) {
    log.error(`${command}: ${describeError(error)}`);
  }
}

/** Writes to a command that need not read its stdin. */
async function feed(child: Deno.ChildProcess, content: Uint8Array): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(content);
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}
