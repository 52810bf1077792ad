/** Subscribes on a broker: `socktool sub`. */
import { SLOW_POLICIES } from "../lib/pubsub/protocol/slow_policy.ts";
import { filterProblem, groupProblem } from "../lib/pubsub/protocol/topic.ts";
import {
  defineCommand,
  describeError,
  type Log,
  outputFlags,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { brokerFlags, connectClient } from "./_pubsub/client.ts";
import { meantFilter } from "./_pubsub/meant_filter.ts";
import { FORMAT_FIELDS, parseFormat } from "./_pubsub/message_format.ts";
import { printPublished } from "./_pubsub/print_published.ts";
import { checkReading, readStream, streamFlags } from "./_pubsub/read_stream.ts";
import { SubBounds } from "./_pubsub/sub_bounds.ts";

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
      help: "while there is no broker at the start, or none that answers within 10 seconds, wait " +
        "until there is one",
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
    "on. If sub itself is killed, as by SIGKILL, they end some seconds after --reply-timeout.",
    "Where the program behind a pipe has ended, as after | head -2, sub ends when it prints the next " +
    "message: no earlier write fails. --count 2 ends at once.",
    "The command of --each finds what is known of its message in SOCKTOOL_TOPIC, SOCKTOOL_STREAM, " +
    "SOCKTOOL_CONSUMER, SOCKTOOL_SEQ, SOCKTOOL_TIME, SOCKTOOL_ATTEMPT and SOCKTOOL_CONTENT_TYPE. " +
    "After the last attempt a message goes to the dead letters: socktool sub --stream _dead " +
    "'_dead.STREAM.CONSUMER' --from all",
  ],
  exitCodes: { 1: "failed, or fewer messages than --count came in the time of --timeout" },
  async run({ flags, args, given }, context) {
    const { log } = context;
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
    using bounds = new SubBounds(flags);
    const { client, limit } = await connectClient(flags, context, {
      onError: (error) => log.error(describeError(error)),
      wait: flags.wait,
      waitMs: flags.timeout,
      maxContentBytes: flags["max-content"],
    });
    await using _client = client;
    bounds.server = limit.server;
    const reading = flags.stream === undefined
      ? printPublished(client, args.filter, flags, printing, bounds, context)
      : readStream(client, args.filter[0], flags, printing, bounds, context);
    // With --wait, a broker that answers nothing is one that is not there yet.
    if (flags.wait) return await reading;
    return await Promise.race([reading, limit.ping("sub").then(() => reading)]);
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

if (import.meta.main) await runMain(command);
