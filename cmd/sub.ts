/** Subscribes on a broker: `socktool sub`. */
import { timerMs } from "../lib/base/timer_ms.ts";
import {
  filterProblem,
  groupProblem,
  type MissedPublications,
  type PubSubMessage,
  SLOW_POLICIES,
} from "../lib/pubsub/mod.ts";
import {
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatBytes,
  formatCount,
  formatDuration,
  formatExactCount,
  outputFlags,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { brokerFlags, connectClient } from "./_pubsub/client.ts";
import { printMessage } from "./_pubsub/incoming.ts";
import { Replier } from "./_pubsub/replier.ts";

export const command = defineCommand({
  name: "sub",
  summary: "subscribe on a broker, and print what is published",
  arguments: {
    filter: {
      type: "string",
      repeat: true,
      help: "topics: * stands for one token, > at the end for one or more",
    },
  },
  flags: {
    count: { type: "count", min: 1, help: "exit after this many messages" },
    timeout: { type: "duration", min: 1, help: "exit after this time" },
    group: {
      type: "string",
      placeholder: "NAME",
      help: "share the messages with the other members of this group",
    },
    slow: {
      type: "choice",
      choices: SLOW_POLICIES,
      default: "drop-oldest",
      help: "what the broker does while this subscriber falls behind",
    },
    retained: {
      type: "boolean",
      conflicts: ["group"],
      help: "print the retained messages, and exit",
    },
    reply: {
      type: "string",
      placeholder: "COMMAND",
      group: "Reply",
      help: "answer each request with the output of this shell command; stdin is the content",
    },
    "reply-timeout": {
      type: "duration",
      min: 1,
      default: "30s",
      group: "Reply",
      requires: ["reply"],
      help: "end the command after this time; no reply is sent",
    },
    parallel: {
      type: "count",
      min: 1,
      max: 1_000,
      default: "1",
      group: "Reply",
      requires: ["reply"],
      help: "answer up to N requests at the same time",
    },
    "max-reply": {
      type: "size",
      default: "1MiB",
      group: "Reply",
      requires: ["reply"],
      help: "end the command when its output exceeds this size; no reply is sent",
    },
    raw: {
      type: "boolean",
      group: "Output",
      conflicts: ["json"],
      help: "print contents byte for byte, with nothing between them",
    },
    ...brokerFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool sub 'orders.>'", "print all orders"],
    ["socktool sub 'room.*.temperature' -v", "with the topic before each"],
    ["socktool sub jobs --group workers", "share jobs with other workers"],
    ["socktool sub 'logs.>' --json | jq .text", "as JSON, also what was missed"],
    ["socktool sub math.square --reply 'xargs -I{} expr {} \\* {}'", "answer requests"],
  ],
  notes: [
    "The command of --reply gets the topic in SOCKTOOL_TOPIC. If it fails, sub prints the exit code " +
    "and sends no reply, so the requester's time runs out. Processes that the command starts end " +
    "when it ends, and when sub ends: they get SIGTERM, and SIGKILL two seconds later (on Windows " +
    "they are killed at once). Only processes that leave the command's process group (setsid) live " +
    "on. If sub itself is killed by SIGKILL, they end some seconds after --reply-timeout.",
  ],
  exitCodes: { 1: "failed, or fewer messages than --count came in the time of --timeout" },
  async run({ flags, args }, context) {
    const { log, out, signal } = context;
    for (const filter of args.filter) {
      const problem = filterProblem(filter);
      if (problem) throw new UsageError(`FILTER ${filter}: ${problem}`);
    }
    const fault = flags.group === undefined ? undefined : groupProblem(flags.group);
    if (fault) throw new UsageError(`--group ${flags.group}: ${fault}`);
    const done = Promise.withResolvers<void>();
    const client = await connectClient(flags, context, (error) => log.error(describeError(error)));
    const replier = flags.reply === undefined ? undefined : new Replier(flags.reply, {
      timeoutMs: flags["reply-timeout"],
      parallel: flags.parallel,
      maxBytes: flags["max-reply"],
    }, log);
    const stop = () => {
      void replier?.stop();
      done.resolve();
    };
    const timer = flags.timeout === undefined
      ? undefined
      : setTimeout(stop, timerMs("--timeout", flags.timeout));
    signal.addEventListener("abort", stop, { once: true });
    // A message that matches several filters arrives once, and is handed to each subscription.
    const printed = new WeakSet<PubSubMessage>();
    let count = 0;
    const onMessage = async (message: PubSubMessage) => {
      if (printed.has(message) || count === flags.count || (flags.retained && !message.retained)) {
        return;
      }
      printed.add(message);
      count++;
      const room = printMessage(
        message,
        { json: flags.json, raw: flags.raw, topic: flags.verbose },
        out,
      );
      await replier?.answer(message);
      if (count === flags.count) done.resolve();
      if (room) await room;
    };
    const onMissed = (missed: MissedPublications) => tellMissed(missed, context, flags.json);
    try {
      const { group, slow } = flags;
      const subscriptions = await Promise.all(
        args.filter.map((filter) => client.subscribe(filter, { group, slow, onMessage, onMissed })),
      );
      log.detail(`subscribed to ${args.filter.join(", ")}`);
      const closed = client.finished.then((error) => {
        if (error !== undefined) throw error;
      });
      if (flags.retained) {
        const due = subscriptions.reduce((sum, { retained }) => sum + retained, 0);
        log.detail(formatCount(due, "retained message"));
        // The drain below hands out what has arrived.
        done.resolve();
      }
      await Promise.race([done.promise, closed]);
      await replier?.settled();
      // Without a connection there is nothing to drain.
      if (client.state === "connected") await client.drain().catch(() => {});
      else await client.close();
      await Promise.all(subscriptions.map((subscription) => subscription.taken));
      replier?.tellUnanswered();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      await replier?.stop();
      await client.close();
    }
    if (signal.aborted || flags.count === undefined || count >= flags.count) return undefined;
    if (flags.retained) return undefined;
    log.error(
      `${count} of ${formatCount(flags.count, "message")} came in ${
        formatDuration(flags.timeout ?? 0)
      }`,
    );
    return EXIT.failed;
  },
});

function tellMissed(
  { filter, count, bytes }: MissedPublications,
  { out, log }: Context,
  json: boolean,
): void {
  const missed = formatExactCount(count, "message");
  log.warn(`missed ${missed} (${formatBytes(bytes)}) of ${filter}: too slow`);
  if (json) out.json({ type: "missed", filter, count, bytes });
}

if (import.meta.main) await runMain(command);
