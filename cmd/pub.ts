/** Publishes on a broker: `socktool pub`. */
import { sleep } from "../lib/base/sleep.ts";
import {
  type BrokerClient,
  type PublishOptions,
  PubSubError,
  type PubSubFailure,
  topicProblem,
} from "../lib/pubsub/mod.ts";
import {
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatCount,
  formatExactCount,
  jsonFlag,
  quietFlag,
  readByteLines,
  readLines,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { brokerFlags, connectClient } from "./_pubsub/client.ts";
import { printMessage } from "./_pubsub/incoming.ts";
import { type Outgoing, parseNdjsonLine } from "./_pubsub/outgoing.ts";
import { textOrBytes } from "./_pubsub/text_or_bytes.ts";

/** How many confirmations may be outstanding. */
const PIPELINE = 256;

/** The next publication waits while more than this is unsent. */
const HIGH_WATER_BYTES = 262_144;

/** Failures that mean: the publication did not arrive, or nobody knows whether it did. */
const LOSSES: readonly PubSubFailure[] = ["disconnected", "closed", "timed-out"];

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
      help: 'publish a message for each line of stdin: {"topic", and "text" or "base64"}',
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
    confirm: {
      type: "boolean",
      help: "wait until the broker confirms, and print the number of receivers",
    },
    request: {
      type: "boolean",
      conflicts: ["confirm"],
      help: "publish as a request, and print the first reply",
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
  ],
  exitCodes: { 1: "failed, or a publication was refused or lost" },
  async run({ flags, args, given }, context) {
    const { topic, message } = args;
    const fromStdin = flags.lines || flags.ndjson;
    if (fromStdin && message !== undefined) {
      throw new UsageError("MESSAGE and --lines or --ndjson contradict each other");
    }
    if (topic === undefined && !flags.ndjson) throw new UsageError("TOPIC is missing");
    const problem = topic === undefined ? undefined : topicProblem(topic);
    if (problem) throw new UsageError(`TOPIC ${topic}: ${problem}`);
    if (message === undefined && !fromStdin) {
      throw new UsageError("MESSAGE is missing (- publishes stdin whole, --lines each line of it)");
    }
    if (given.has("count") && (fromStdin || message === "-")) {
      throw new UsageError("--count is for a MESSAGE that is given");
    }
    const tally = { refused: 0 };
    const tellRefused = (error: unknown) => {
      tally.refused++;
      context.log.error(describeError(error));
    };
    const client = await connectClient(flags, context, tellRefused, flags.timeout);
    const stop = () => void client.close();
    context.signal.addEventListener("abort", stop, { once: true });
    try {
      const source = paced(outgoing(topic, message, flags, context), flags.rate, context.signal);
      const options = { retain: flags.retain, contentType: flags["content-type"] };
      const job = { client, source, options, flags, context, tally };
      const failed = await (flags.request ? requestAll : flags.confirm ? confirmAll : publishAll)(
        job,
      );
      context.signal.throwIfAborted();
      await client.drain(flags.timeout);
      return failed + tally.refused > 0 ? EXIT.failed : undefined;
    } catch (error) {
      context.signal.throwIfAborted();
      throw error;
    } finally {
      context.signal.removeEventListener("abort", stop);
      await client.close();
    }
  },
});

interface Job {
  readonly client: BrokerClient;
  readonly source: AsyncIterable<Outgoing>;
  readonly options: PublishOptions;
  readonly flags: { readonly json: boolean; readonly timeout: number };
  readonly context: Context;
  /** Publications that the broker refused while nobody waited for its answer. */
  readonly tally: { refused: number };
}

/** Publishes all; resolves to how many may have been lost. */
async function publishAll(
  { client, source, options, flags, context, tally }: Job,
): Promise<number> {
  let count = 0;
  let lost = 0;
  let failure: unknown;
  let batch: Promise<void> | undefined;
  let batched = 0;
  // Publications of one turn of the event loop share a promise: all are sent, or all fail.
  const watch = () => {
    const inBatch = batched;
    batched = 0;
    return batch?.catch((error) => {
      // Refused before it was sent: something is wrong with the command line, or with stdin.
      if (isLoss(error)) lost += inBatch;
      else failure ??= error;
    });
  };
  for await (const { topic, content } of source) {
    const sent = client.publish(topic, content, options);
    if (sent !== batch) void watch();
    batch = sent;
    batched++;
    count++;
    if (client.bufferedBytes > HIGH_WATER_BYTES) await watch();
    if (failure !== undefined || client.state === "closed") break;
  }
  // Sends what waits, or gives up when the time is over.
  const ended = client.drain(flags.timeout).catch((error) => error);
  await watch();
  const unsent = await ended;
  if (lost > 0) {
    const why = context.signal.aborted
      ? "stopped"
      : unsent === undefined
      ? "the connection was lost"
      : describeError(unsent);
    context.log.error(`${why}: ${formatExactCount(lost, "message")} may not have been sent`);
  } else if (failure === undefined && !context.signal.aborted) failure = unsent;
  if (flags.json) {
    const { refused } = tally;
    context.out.json({ type: "summary", sent: count - lost, refused, lost });
  }
  if (failure !== undefined) throw failure;
  return lost;
}

/** Publishes all, and prints how many received each. */
async function confirmAll({ client, source, options, flags, context }: Job): Promise<number> {
  const { out, log, signal } = context;
  let failed = 0;
  let unanswered = 0;
  const outstanding: Promise<void>[] = [];
  const confirm = async (topic: string, content: Uint8Array | string) => {
    try {
      const limited = { ...options, timeoutMs: flags.timeout };
      const receivers = await client.publishConfirmed(topic, content, limited);
      if (flags.json) out.json({ type: "confirmed", topic, receivers });
      else out.line(formatCount(receivers, "receiver"));
    } catch (error) {
      failed++;
      if (signal.aborted && isLoss(error)) unanswered++;
      else log.error(describeError(error));
    }
  };
  try {
    for await (const { topic, content } of source) {
      outstanding.push(confirm(topic, content));
      if (outstanding.length >= PIPELINE) await outstanding.shift();
    }
  } finally {
    await Promise.all(outstanding);
    if (unanswered > 0) {
      log.error(`stopped: ${formatExactCount(unanswered, "message")} had not been confirmed`);
    }
  }
  return failed;
}

/** Publishes all as requests, one after the other, and prints the replies. */
async function requestAll({ client, source, options, flags, context }: Job): Promise<number> {
  for await (const { topic, content } of source) {
    const reply = await client.request(topic, content, { ...options, timeoutMs: flags.timeout });
    await printMessage(reply, { json: flags.json, raw: false, topic: false }, context.out);
  }
  return 0;
}

function isLoss(error: unknown): boolean {
  return error instanceof PubSubError && LOSSES.includes(error.code);
}

async function* outgoing(
  topic: string | undefined,
  message: string | undefined,
  flags: { readonly count: number; readonly lines: boolean; readonly ndjson: boolean },
  { signal }: Context,
): AsyncGenerator<Outgoing> {
  if (message === "-") {
    yield { topic: topic!, content: textOrBytes(await new Response(Deno.stdin.readable).bytes()) };
  } else if (message !== undefined) {
    for (let i = 0; i < flags.count; i++) yield { topic: topic!, content: message };
  } else if (flags.lines) {
    for await (const line of readByteLines(Deno.stdin.readable, signal)) {
      yield { topic: topic!, content: textOrBytes(line) };
    }
  } else {
    let number = 0;
    for await (const line of readLines(Deno.stdin.readable, signal)) {
      number++;
      if (line.trim() !== "") yield parseNdjsonLine(line, number, topic);
    }
  }
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
