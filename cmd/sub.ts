/** Subscribes on a broker: `socktool sub`. */
import { before } from "../lib/base/before.ts";
import { timerMs } from "../lib/base/timer_ms.ts";
import type {
  BrokerClient,
  ClientSubscription,
  SubscribeOptions,
} from "../lib/pubsub/client/mod.ts";
import { SLOW_POLICIES } from "../lib/pubsub/protocol/slow_policy.ts";
import { filterCovers, filterProblem, groupProblem } from "../lib/pubsub/protocol/topic.ts";
import {
  defineCommand,
  describeError,
  EXIT,
  formatCount,
  formatDuration,
  type Log,
  outputFlags,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { brokerFlags, connectClient } from "./_pubsub/client.ts";
import { meantFilter } from "./_pubsub/meant_filter.ts";
import { FORMAT_FIELDS, parseFormat } from "./_pubsub/message_format.ts";
import { checkReading, readStream, streamFlags } from "./_pubsub/read_stream.ts";
import { Replier } from "./_pubsub/replier.ts";
import { TakenMessages } from "./_pubsub/taken_messages.ts";

export const command = defineCommand({
  name: "sub",
  summary: "subscribe on a broker, and print what is published",
  arguments: {
    filter: {
      type: "string",
      repeat: true,
      optional: true,
      help:
        "topics: * stands for one token, > at the end for one or more; with --stream only those",
    },
  },
  flags: {
    count: { type: "count", min: 1, help: "exit after this many messages" },
    timeout: { type: "duration", min: 1, help: "exit after this time" },
    wait: {
      type: "boolean",
      help: "while there is no broker at the start, try again until there is one",
    },
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
      help: "answer up to N requests, or run N commands of --each, at the same time",
    },
    "max-reply": {
      type: "size",
      default: "1MiB",
      group: "Reply",
      requires: ["reply"],
      help: "end the command when its output exceeds this size; no reply is sent",
    },
    "drain-timeout": {
      type: "duration",
      default: "5s",
      group: "Reply",
      requires: ["reply"],
      help: "on SIGINT or SIGTERM, take up to this long to answer the requests that have come",
    },
    ...streamFlags,
    raw: {
      type: "boolean",
      group: "Output",
      conflicts: ["json", "time"],
      help: "print contents byte for byte, with nothing between them",
    },
    time: {
      type: "boolean",
      group: "Output",
      help: "print before each message when it came, in UTC",
    },
    "topics-only": {
      type: "boolean",
      group: "Output",
      conflicts: ["json", "raw", "format"],
      help: "print the topics of the messages, without their contents",
    },
    format: {
      type: "string",
      group: "Output",
      conflicts: ["json", "raw", "time"],
      help: `print each message in this form, with fields in braces: ${FORMAT_FIELDS}`,
    },
    "max-content": {
      type: "size",
      default: "16MiB",
      group: "Limits",
      help: "take messages with content up to this size; larger ones are told as missed",
    },
    ...brokerFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool sub 'orders.>'", "print all orders"],
    ["socktool sub 'room.*.temperature' -v", "with the topic before each"],
    ["socktool sub jobs --group workers", "share jobs with other workers"],
    ["socktool sub 'logs.>' --json | jq .text", "as JSON, also what was missed"],
    ["socktool sub 'a.>' --format '{time} {topic}: {text}'", "in a form of its own"],
    ["socktool sub 'a.>' --wait -s one:5635 -s two:5635", "from either broker, once it is there"],
    ["socktool sub --stream orders --from 1h", "what was stored in the last hour, then what comes"],
    ["socktool sub --stream orders --consumer billing --each ./bill.sh", "work orders off"],
    ["socktool sub math.square --reply 'xargs -I{} expr {} \\* {}'", "answer requests"],
  ],
  notes: [
    "The command of --reply gets the topic in SOCKTOOL_TOPIC. If it fails, sub prints the exit code " +
    "and sends no reply, so the requester's time runs out. Processes that the command starts end " +
    "when it ends, and when sub ends: they get SIGTERM, and SIGKILL two seconds later (on Windows " +
    "they are killed at once). Only processes that leave the command's process group (setsid) live " +
    "on. If sub itself is killed by SIGKILL, they end some seconds after --reply-timeout.",
    "Where the program behind a pipe has ended, as after | head -2, sub ends when it prints the next " +
    "message: no earlier write fails. --count 2 ends at once.",
    "The command of --each finds what is known of its message in SOCKTOOL_TOPIC, SOCKTOOL_STREAM, " +
    "SOCKTOOL_CONSUMER, SOCKTOOL_SEQ, SOCKTOOL_TIME, SOCKTOOL_ATTEMPT and SOCKTOOL_CONTENT_TYPE. " +
    "After the last attempt a message goes to the dead letters: socktool sub --stream _dead " +
    "'_dead.STREAM.CONSUMER' --from all",
  ],
  exitCodes: { 1: "failed, or fewer messages than --count came in the time of --timeout" },
  async run({ flags, args, given }, context) {
    const { log, signal } = context;
    if (flags.stream === undefined && args.filter.length === 0) {
      throw new UsageError("FILTER is missing");
    }
    if (given.has("parallel") && flags.reply === undefined && flags.each === undefined) {
      throw new UsageError("--parallel needs --reply or --each beside it");
    }
    checkReading(flags, args.filter);
    checkFilters(args.filter, flags.group, log);
    const format = flags.format === undefined ? undefined : parseFormat(flags.format);
    const printing = {
      json: flags.json,
      raw: flags.raw,
      topic: flags.verbose,
      time: flags.time,
      topicsOnly: flags["topics-only"],
      format,
    };
    const complete = Promise.withResolvers<void>();
    /** Aborted when it is to end, however much has come. */
    const ending = new AbortController();
    const endsAt = performance.now() + (flags.timeout ?? 0);
    const client = await connectClient(flags, context, {
      onError: (error) => log.error(describeError(error)),
      wait: flags.wait,
      waitMs: flags.wait ? flags.timeout : undefined,
      maxContentBytes: flags["max-content"],
    });
    if (flags.stream !== undefined) {
      try {
        return await readStream(client, args.filter[0], flags, printing, context);
      } finally {
        await client.close();
      }
    }
    const replier = flags.reply === undefined ? undefined : new Replier(flags.reply, {
      timeoutMs: flags["reply-timeout"],
      parallel: flags.parallel,
      maxBytes: flags["max-reply"],
    }, log);
    const timer = flags.timeout === undefined ? undefined : setTimeout(() => {
      void replier?.stop();
      ending.abort();
    }, timerMs("--timeout", Math.max(0, endsAt - performance.now())));
    signal.addEventListener("abort", () => ending.abort(), { once: true });
    ending.signal.addEventListener("abort", () => complete.resolve(), { once: true });
    const { count, retained, group, slow } = flags;
    const taken = new TakenMessages({ count, retained, printing, replier }, context);
    void taken.complete.then(complete.resolve);
    try {
      const subscriptions = await subscribeAll(client, args.filter, { group, slow }, taken);
      log.detail(`subscribed to ${args.filter.join(", ")}`);
      const closed = client.finished.then((error) => {
        if (error !== undefined) throw error;
      });
      if (retained) {
        const due = subscriptions.reduce((sum, { retained }) => sum + retained, 0);
        log.detail(formatCount(due, "retained message"));
        // They are on their way, and are printed in the end.
        complete.resolve();
      }
      await Promise.race([complete.promise, closed]);
      const wanted = taken.isComplete ? [] : subscriptions;
      await finish(client, wanted, replier, ending.signal, flags["drain-timeout"]);
    } finally {
      clearTimeout(timer);
      await replier?.stop();
      await client.close();
    }
    if (signal.aborted || retained || count === undefined || taken.count >= count) return undefined;
    log.error(
      `${taken.count} of ${formatCount(count, "message")} came in ${
        formatDuration(flags.timeout ?? 0)
      }`,
    );
    return EXIT.failed;
  },
});

/** @throws {UsageError} if a filter, or the group, is none. */
function checkFilters(
  filters: readonly string[],
  group: string | undefined,
  log: Log,
): void {
  for (const filter of filters) {
    const problem = filterProblem(filter);
    if (problem) throw new UsageError(`FILTER ${filter}: ${problem}`);
    const meant = meantFilter(filter);
    if (meant) {
      log.warn(`FILTER ${filter}: # and + are no wildcards here; ${meant} is meant, perhaps`);
    }
  }
  const fault = group === undefined ? undefined : groupProblem(group);
  if (fault) throw new UsageError(`--group ${group}: ${fault}`);
}

function subscribeAll(
  client: BrokerClient,
  filters: readonly string[],
  options: SubscribeOptions,
  taken: TakenMessages,
): Promise<ClientSubscription[]> {
  return Promise.all(
    filters.map((filter, i) =>
      client.subscribe(filter, {
        ...options,
        onMissed: (missed) => taken.missed(missed),
        onMessage(message) {
          // Each filter brings the retained values that match: the first that does prints them.
          const isRepeated = message.retained &&
            filters.slice(0, i).some((earlier) => filterCovers(earlier, message.topic));
          return isRepeated ? undefined : taken.take(message);
        },
      })
    ),
  );
}

/**
 * Ends in order: what the broker has handed out is printed and answered.
 *
 * @param subscriptions Those of which more is wanted.
 * @param limitMs How long it may take once `ending` is aborted.
 */
async function finish(
  client: BrokerClient,
  subscriptions: readonly ClientSubscription[],
  replier: Replier | undefined,
  ending: AbortSignal,
  limitMs: number,
): Promise<void> {
  let isLate = false;
  // Without a connection no answer can be sent.
  if (client.state === "connected" || !ending.aborted) {
    const drained = Promise.all(subscriptions.map(drain)).then(() => replier?.settled());
    isLate = await isAbortedBefore(Promise.race([drained, client.finished]), ending, limitMs);
  }
  await replier?.stop();
  if (isLate || client.state !== "connected") await client.close();
  else await client.drain().catch(() => {});
  await Promise.all(subscriptions.map((subscription) => subscription.taken));
  replier?.tellUnanswered();
}

/** Ends a subscription once all that the broker has handed out for it is taken. */
async function drain(subscription: ClientSubscription): Promise<void> {
  await subscription.drain(Infinity).catch(() => {});
  await subscription.taken;
}

/** Whether a signal was aborted, and the time after that is over, before a promise resolves. */
async function isAbortedBefore(
  promise: Promise<unknown>,
  signal: AbortSignal,
  ms: number,
): Promise<boolean> {
  const { promise: aborted, resolve } = Promise.withResolvers<boolean>();
  if (signal.aborted) resolve(true);
  else signal.addEventListener("abort", () => resolve(true), { once: true });
  if (!await Promise.race([promise.then(() => false), aborted])) return false;
  return !await before(promise, ms);
}

if (import.meta.main) await runMain(command);
