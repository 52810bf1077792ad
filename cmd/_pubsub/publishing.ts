import { equals } from "@std/bytes";
import type {
  BrokerClient,
  PublishOptions,
  PubSubFailure,
  PubSubMessage,
} from "../../lib/pubsub/client/mod.ts";
import { PubSubError } from "../../lib/pubsub/client/pubsub_error.ts";
import {
  type Context,
  describeError,
  formatCount,
  formatDuration,
  formatExactCount,
} from "../_cli/mod.ts";
import { printMessage } from "./incoming.ts";
import { nameOf, type Outgoing } from "./outgoing.ts";

/** How many confirmations may be outstanding. */
const PIPELINE = 256;

/** The next publication waits while more than this is unsent. */
const HIGH_WATER_BYTES = 262_144;

/** Failures that mean: the publication did not arrive, or nobody knows whether it did. */
const LOSSES: readonly PubSubFailure[] = ["disconnected", "closed", "timed-out"];

/** What a run of `pub` works with. */
export interface Job {
  readonly client: BrokerClient;
  readonly source: AsyncIterable<Outgoing>;
  /** How to publish; what a publication says itself counts before it. */
  readonly options: PublishOptions;
  readonly flags: {
    readonly json: boolean;
    readonly timeout: number;
    readonly "min-receivers": number | undefined;
    readonly "max-replies": number | undefined;
    readonly until: string | undefined;
    readonly "until-empty": boolean;
    readonly "msg-id": string | undefined;
  };
  readonly context: Context;
  /** Publications that the broker refused while nobody waited for its answer. */
  readonly tally: { refused: number };
}

/** Publishes all; resolves to how many may have been lost. */
export async function publishAll(
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
  for await (const { topic, content, options: own } of source) {
    const sent = client.publish(topic, content, joined(options, own));
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

/** Publishes all, and prints how many received each; resolves to how many failed. */
export function confirmAll(job: Job): Promise<number> {
  const { client, context: { out }, flags } = job;
  const { timeout: timeoutMs, "min-receivers": least = 0, json } = flags;
  return publishEach(job, async ({ topic, content, line }, options) => {
    const confirmed = { ...options, timeoutMs, exact: least > 0 };
    const { receivers, exact } = await client.confirm(topic, content, confirmed);
    return () => {
      const known = exact ? "" : " known to this broker, which is one of several";
      if (json) {
        out.json({ type: "confirmed", line, topic, receivers, exact: exact ? undefined : false });
      } else out.line(`${formatCount(receivers, "receiver")}${known}`);
      if (receivers >= least) return undefined;
      const message = `${formatCount(receivers, "receiver")} instead of ${least} or more`;
      return { code: "too-few-receivers", message };
    };
  });
}

/** Publishes all to be stored, and prints where each is; resolves to how many failed. */
export function storeAll(job: Job): Promise<number> {
  const { client, context: { out }, flags } = job;
  const { timeout: timeoutMs, json, "msg-id": messageId } = flags;
  return publishEach(job, async ({ topic, content, line }, { fields = {}, ...options }) => {
    // What sub --json printed of a stored message has what the broker is asked for here.
    const { stored: _stored, "msg-id": own, "expect-seq": _expected, ...others } = fields;
    const id = typeof own === "string" ? own : messageId;
    const { stream, seq, duplicate } = await client.publishStored(topic, content, {
      ...options,
      fields: others,
      messageId: id,
      timeoutMs,
    });
    return () => {
      if (json) out.json({ type: "stored", line, topic, stream, seq, duplicate });
      else out.line(`${stream} ${seq}${duplicate ? " duplicate" : ""}`);
      return undefined;
    };
  });
}

/** What became of a publication that failed. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

/**
 * Publishes all as requests, one after the other, and prints the replies; resolves to how many
 * requests had none, or not all.
 */
export function requestAll(job: Job): Promise<number> {
  const { client, flags, context: { out } } = job;
  const { timeout: timeoutMs, "max-replies": maxReplies, json } = flags;
  const until = flags["until-empty"] ? "" : flags.until;
  const mark = until === undefined ? undefined : new TextEncoder().encode(until);
  const isOne = maxReplies === undefined && mark === undefined;
  return publishEach(job, async ({ topic, content }, options) => {
    const limited = { ...options, timeoutMs };
    if (isOne) {
      await printMessage(await client.request(topic, content, limited), { json }, out);
      return () => undefined;
    }
    let replies = 0;
    let isEnded = false;
    const isEnd = ({ content }: PubSubMessage) => {
      return isEnded = mark !== undefined && equals(content, mark);
    };
    const many = client.requestMany(topic, content, { ...limited, maxReplies, isEnd });
    for await (const reply of many) {
      replies++;
      await printMessage(reply, { json }, out);
    }
    const isWhole = mark === undefined ? replies > 0 : isEnded || replies === maxReplies;
    const what = replies > 0 ? "the reply that ends them did not come" : "no reply came";
    const message = `${what} in ${formatDuration(timeoutMs)}`;
    return () => isWhole ? undefined : { code: "timed-out", message };
  }, 1);
}

/**
 * Publishes all, each of which is answered. Those that fail are told one by one, and the others go on.
 * Resolves to the number of those that failed.
 *
 * @param publish Publishes one, and resolves to what prints its answer: so answers and refusals are
 * printed in the order in which they come.
 * @param atOnce How many answers may be outstanding.
 */
async function publishEach(
  { client, source, options, flags: { json }, context }: Job,
  publish: (publication: Outgoing, options: PublishOptions) => Promise<() => Failure | undefined>,
  atOnce = PIPELINE,
): Promise<number> {
  const { out, log, signal } = context;
  let failed = 0;
  let unanswered = 0;
  const outstanding: Promise<void>[] = [];
  const fail = (publication: Outgoing, code: string | undefined, message: string) => {
    failed++;
    log.error(`${nameOf(publication)}: ${message}`, { code });
    const { line, topic } = publication;
    if (json) out.json({ type: "failed", line, topic, code, message });
  };
  const send = async (publication: Outgoing) => {
    try {
      const tell = await publish(publication, joined(options, publication.options));
      const failure = tell();
      if (failure) fail(publication, failure.code, failure.message);
    } catch (error) {
      if (!signal.aborted || !isLoss(error)) {
        const code = error instanceof PubSubError ? error.code : undefined;
        return fail(publication, code, describeError(error));
      }
      failed++;
      unanswered++;
    }
  };
  try {
    for await (const publication of source) {
      outstanding.push(send(publication));
      if (outstanding.length >= atOnce) await outstanding.shift();
      // All that follow would fail in the same way.
      if (client.state === "closed") break;
    }
  } finally {
    await Promise.all(outstanding);
    if (unanswered > 0) {
      log.error(`stopped: ${formatExactCount(unanswered, "message")} had not been answered`);
    }
  }
  return failed;
}

/** What a publication says of how to publish it, and what the flags say of the rest. */
function joined(options: PublishOptions, own: PublishOptions | undefined): PublishOptions {
  if (own === undefined) return options;
  return {
    retain: own.retain ?? options.retain,
    replyTo: own.replyTo ?? options.replyTo,
    contentType: own.contentType ?? options.contentType,
    fields: { ...options.fields, ...own.fields },
  };
}

function isLoss(error: unknown): boolean {
  return error instanceof PubSubError && LOSSES.includes(error.code);
}
