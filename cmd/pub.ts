/** Publishes on a broker: `socktool pub`. */
import { sleep } from "../lib/base/sleep.ts";
import { PubSubError } from "../lib/pubsub/client/pubsub_error.ts";
import { topicProblem } from "../lib/pubsub/protocol/topic.ts";
import {
  type Context,
  defineCommand,
  describeError,
  EXIT,
  jsonFlag,
  quietFlag,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { utf8Text } from "./_cli/utf8_text.ts";
import { readByteLines, readLines } from "./_cli/read_lines.ts";
import { brokerFlags, withClient } from "./_pubsub/client.ts";
import { headerFlag, parseHeaderFields } from "./_pubsub/header_fields.ts";
import { type IncomingEvent, parseNdjsonLine } from "./_pubsub/ndjson.ts";
import type { Outgoing } from "./_pubsub/outgoing.ts";
import { confirmAll, publishAll, requestAll, storeAll } from "./_pubsub/publishing.ts";

export const command = defineCommand({
  name: "pub",
  summary: "publish messages on a broker",
  arguments: {
    topic: {
      type: "string",
      optional: true,
      help: "the topic to publish on: tokens joined by dots",
    },
    message: {
      type: "string",
      optional: true,
      help: "the text to publish; - publishes all of stdin as one message",
    },
  },
  flags: {
    lines: {
      type: "boolean",
      conflicts: ["ndjson"],
      help: "publish each line of stdin as a message",
    },
    ndjson: {
      type: "boolean",
      help: "publish a message for each line of stdin: " +
        '{"topic", "text" or "base64", "header"?}, or what sub --json prints',
    },
    count: { type: "count", min: 1, default: "1", help: "publish MESSAGE this many times" },
    rate: { type: "rate", help: "publish at most this many messages per second" },
    retain: {
      type: "boolean",
      help: "keep the message on the broker as the topic's last value; an empty one clears it",
    },
    "content-type": {
      type: "string",
      placeholder: "TYPE",
      help: "set the content-type of the messages",
    },
    ...headerFlag,
    "reply-to": {
      type: "string",
      placeholder: "TOPIC",
      conflicts: ["request"],
      help: "ask for replies on this topic",
    },
    confirm: {
      type: "boolean",
      help:
        "wait until the broker confirms, and print the number of receivers, of a broker with --nats " +
        "those that it knows of",
    },
    "min-receivers": {
      type: "count",
      min: 1,
      requires: ["confirm"],
      help: "fail if a message has fewer receivers",
    },
    stored: {
      type: "boolean",
      conflicts: ["confirm", "request"],
      help:
        "wait until a stream of the broker has stored it, and print the stream and the number; " +
        "sent again where the connection is lost, and stored once",
    },
    "msg-id": {
      type: "string",
      placeholder: "ID",
      requires: ["stored"],
      help: "a name for the message: the same one is stored once while the broker remembers it",
    },
    request: {
      type: "boolean",
      conflicts: ["confirm"],
      help: "publish as a request, and print the first reply",
    },
    "max-replies": {
      type: "count",
      min: 1,
      requires: ["request"],
      help: "print up to this many replies, of those that come in the time of --timeout",
    },
    until: {
      type: "string",
      placeholder: "TEXT",
      requires: ["request"],
      conflicts: ["until-empty"],
      help: "print the replies up to one with this text, which marks their end",
    },
    "until-empty": {
      type: "boolean",
      requires: ["request"],
      help: "print the replies up to an empty one, which marks their end",
    },
    timeout: {
      type: "duration",
      default: "10s",
      min: 1,
      help: "the limit for connecting, for each answer, and for sending what is left at the end",
    },
    ...brokerFlags,
    ...jsonFlag,
    ...quietFlag,
  },
  examples: [
    ["socktool pub orders.eu 'one book'", "publish a text"],
    ["socktool pub room.1.temperature 21.5 --retain", "keep it for later subscribers"],
    ["socktool pub photos.new - --content-type image/png < cat.png", "publish a file"],
    ["tail -f app.log | socktool pub logs.app --lines", "publish lines as they come"],
    ["socktool pub math.square 12 --request", "ask, and print the answer"],
    ["socktool pub who '' --request --max-replies 100 --timeout 1s", "ask all who answer in time"],
    ["socktool pub list '' --request --until-empty", "print all replies, up to an empty one"],
    ["socktool pub jobs '' --confirm --min-receivers 1", "fail where nobody subscribes"],
    ["socktool pub orders.eu '1 book' --stored --msg-id 4711", "have it stored once"],
    ["socktool sub 'a.>' --json | socktool pub --ndjson -s other:5635", "copy to another broker"],
  ],
  exitCodes: { 1: "failed, or a publication was refused, lost, or not answered" },
  async run({ flags, args, given }, context) {
    const { topic, message } = args;
    const fromStdin = flags.lines || flags.ndjson;
    if (fromStdin && message !== undefined) {
      throw new UsageError("MESSAGE and --lines or --ndjson contradict each other");
    }
    if (topic === undefined && !flags.ndjson) throw new UsageError("TOPIC is missing");
    checkTopic("TOPIC", topic);
    checkTopic("--reply-to", flags["reply-to"]);
    if (message === undefined && !fromStdin) {
      throw new UsageError("MESSAGE is missing (- publishes stdin whole, --lines each line of it)");
    }
    if (flags["msg-id"] !== undefined && (fromStdin || flags.count > 1)) {
      throw new UsageError("--msg-id is for one message; with --ndjson, put it into the header");
    }
    if (given.has("count") && (fromStdin || message === "-")) {
      throw new UsageError("--count is for a MESSAGE that is given");
    }
    const fields = parseHeaderFields(flags.header);
    const tally = { refused: 0 };
    const tellRefused = (error: unknown) => {
      tally.refused++;
      const code = error instanceof PubSubError ? error.code : undefined;
      context.log.error(describeError(error), { code });
    };
    const connecting = { onError: tellRefused, limitMs: flags.timeout };
    return await withClient(flags, context, connecting, async (client, limit) => {
      const source = paced(outgoing(topic, message, flags, context), flags.rate, context.signal);
      const options = {
        retain: flags.retain,
        replyTo: flags["reply-to"],
        contentType: flags["content-type"],
        fields,
      };
      const job = { client, source, options, flags, context, tally };
      const publish = flags.request
        ? requestAll
        : flags.stored
        ? storeAll
        : flags.confirm
        ? confirmAll
        : publishAll;
      try {
        const failed = await publish(job);
        context.signal.throwIfAborted();
        await client.drain(flags.timeout);
        return failed + tally.refused > 0 ? EXIT.failed : undefined;
      } catch (error) {
        throw limit.named(error);
      }
    });
  },
});

function checkTopic(label: string, topic: string | undefined): void {
  const problem = topic === undefined ? undefined : topicProblem(topic);
  if (problem) throw new UsageError(`${label} ${topic}: ${problem}`);
}

async function* outgoing(
  topic: string | undefined,
  message: string | undefined,
  flags: { readonly count: number; readonly lines: boolean; readonly ndjson: boolean },
  { signal, log, stdin }: Context,
): AsyncGenerator<Outgoing> {
  if (message === "-") {
    const bytes = await new Response(stdin()).bytes();
    yield { topic: topic!, content: utf8Text(bytes) ?? bytes };
  } else if (message !== undefined) {
    for (let i = 0; i < flags.count; i++) yield { topic: topic!, content: message };
  } else if (flags.lines) {
    let line = 0;
    for await (const bytes of readByteLines(stdin(), signal)) {
      yield { topic: topic!, content: utf8Text(bytes) ?? bytes, line: ++line };
    }
  } else {
    let line = 0;
    for await (const text of readLines(stdin(), signal)) {
      line++;
      if (text.trim() === "") continue;
      const publication = parseNdjsonLine(text, line, topic);
      if ("content" in publication) yield publication;
      else if (publication.type === "missed") log.warn(missedBefore(publication, line));
    }
  }
}

function missedBefore({ filter, count }: IncomingEvent, line: number): string {
  return `stdin, line ${line}: messages of ${filter} are missing here: ${count ?? "unknown"}`;
}

/** Lets through at most `rate` items per second, on a schedule that begins with the first. */
async function* paced(
  source: AsyncIterable<Outgoing>,
  rate: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Outgoing> {
  const startedAt = performance.now();
  let count = 0;
  for await (const item of source) {
    if (rate !== undefined) {
      const waitMs = startedAt + count++ / rate * 1_000 - performance.now();
      if (waitMs > 0) await sleep(waitMs, signal);
    }
    if (signal.aborted) return;
    yield item;
  }
}

if (import.meta.main) await runMain(command);
