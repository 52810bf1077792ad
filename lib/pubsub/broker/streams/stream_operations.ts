import type { FrameHeader, HeaderInit } from "../../../frame/mod.ts";
import type { Principal } from "../../../access/mod.ts";
import type { Pause } from "../../../base/in_steps.ts";
import { messageOf } from "../../../base/message_of.ts";
import { reportError } from "../../../base/report.ts";
import { badField } from "../request_fields.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { filterCovers } from "../../protocol/topic.ts";
import type { Requester } from "../requester.ts";
import { CopyReader } from "./copy_reader.ts";
import { type ReadRefusal, streamsOf } from "./connection_streams.ts";
import { noConsumer } from "./consumer_settings.ts";
import { DEAD_LETTERS } from "./dead_letter.ts";
import { StreamError } from "./stream_error.ts";
import {
  beforeSeqOf,
  changedSettingsOf,
  consumerFields,
  consumerSettingsOf,
  deliveriesOf,
  filterOf,
  nackOf,
  nameOf,
  newSettingsOf,
  prefetchOf,
  RefusedError,
  sidOf,
  startOf,
  streamFields,
  takesRuns,
} from "./stream_fields.ts";
import { mayDoAnything, streamRefusal, type StreamRight } from "./stream_rights.ts";
import type { StreamStore } from "./stream_store.ts";
import { subscribeRefusal } from "../routing/rights.ts";

/** Streams or consumers in one answer: a header has at most 1,000 members, and 65,535 bytes. */
const PAGE = 40;
const PAGE_MEMBERS = 900;
const PAGE_BYTES = 48_000;

const encoder = new TextEncoder();

/** In place of a stream's name: all of them. */
const ALL = "*";

/** The ops that concern streams. `sub` and `unsub` do where they have a `stream` or a `sid`. */
export type StreamOp = "stream" | "sub" | "unsub" | "consume" | Settle | "consumer";

type Settle = "ack" | "nack" | "working";

/** A client's request, with what it needs to be carried out. */
interface Request {
  readonly requester: Requester;
  readonly store: StreamStore;
  readonly header: FrameHeader;
  /** Sends what is in the outbox soon. */
  readonly flush: () => void;
  /** Lets others be served. */
  readonly pause: Pause;
}

/**
 * Carries out a request that concerns streams. It is answered when the store has done it. Later
 * requests wait until then, but not for requests that settle deliveries or purge.
 */
export function performStreamOperation(
  op: StreamOp,
  requester: Requester,
  store: StreamStore,
  header: FrameHeader,
  id: number | undefined,
  { flushSoon: flush, pause }: { readonly flushSoon: () => void; readonly pause: Pause },
): void {
  const done = carryOut(op, { requester, store, header, flush, pause }).then(
    ({ fields, after }) => {
      if (id !== undefined) requester.outbox.control("ok", { id, ...fields });
      after?.();
    },
    (error) => refuse(requester, error, id),
  ).then(flush);
  const takesLong = op === "ack" || op === "nack" || op === "working" ||
    header["do"] === "purge" || header["do"] === "backup";
  if (takesLong && id !== undefined) {
    // A connection that ends waits for its answer.
    const streams = streamsOf(requester, store, flush);
    streams.confirming(1);
    void done.then(() => streams.confirming(-1));
  }
  // What is not waited for is bounded by what waits to be written.
  const wait = takesLong ? store.room(requester.id, 0) : done;
  if (wait) requester.waitFor(wait);
}

function refuse(requester: Requester, error: unknown, id: number | undefined): void {
  if (error instanceof RefusedError) return requester.refuse(error.refusal, id);
  if (!(error instanceof StreamError)) {
    reportError(error, "A request that concerns streams failed");
    return requester.refuse({ code: "storage-failed", message: messageOf(error) }, id);
  }
  const { code, message, stale } = error;
  requester.refuse({ code, message }, id, { stale });
}

/** What a request is answered with. */
interface Answer {
  readonly fields: HeaderInit;
  /** What is done behind the answer. */
  readonly after?: () => void;
}

async function carryOut(op: StreamOp, request: Request): Promise<Answer> {
  switch (op) {
    case "stream":
      if (request.header["do"] === "backup") return await backup(request);
      return { fields: await manageStream(request) };
    case "sub":
      return await subscribe(request);
    case "unsub":
      return { fields: unsubscribe(request) };
    case "consume":
      return await consume(request);
    case "ack":
    case "nack":
    case "working":
      return { fields: await settle(op, request) };
    case "consumer":
      return { fields: await manageConsumer(request) };
  }
}

async function manageStream(request: Request): Promise<HeaderInit> {
  const { requester, store, header } = request;
  const { do: what } = header;
  if (what === "list") return await listStreams(request);
  const name = nameOf(header, "name");
  switch (what) {
    case "create":
      need(requester, name, "create");
      return streamFields(await store.create(name, newSettingsOf(header)));
    case "update":
      need(requester, name, "create");
      return streamFields(await store.update(name, changedSettingsOf(header)));
    case "delete":
      need(requester, name, "create");
      await store.delete(name);
      return {};
    case "info": {
      if (!mayDoAnything(requester.principal!, name)) need(requester, name, "read");
      const [figures] = await store.figures(name);
      if (figures) return streamFields(figures);
      throw new StreamError("no-stream", `There is no stream ${quote(name)}`);
    }
    case "purge": {
      const topic = filterOf(header);
      needPurge(requester, name, topic);
      return streamFields(await store.purge(name, beforeSeqOf(header), topic));
    }
    default:
      throw new RefusedError(
        badField("do", "one of create, update, delete, info, list, purge, backup"),
      );
  }
}

/** A page of the streams with which a client may do something, in the order of their names. */
async function listStreams(
  { requester, store, header, pause }: Request,
): Promise<HeaderInit> {
  const after = afterOf(header);
  // To look through a thousand takes a millisecond, and a thousand clients may ask at once.
  const turn = pause();
  if (turn) await turn;
  const all = (await store.figures())
    .filter(({ name }) => name > after && mayDoAnything(requester.principal!, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const streams = firstPage(all.slice(0, PAGE).map(streamFields));
  return { streams, more: streams.length < all.length };
}

async function subscribe({ requester, store, header, flush }: Request): Promise<Answer> {
  const stream = nameOf(header, "stream");
  const sid = sidOf(header);
  const topic = filterOf(header);
  const start = startOf(header, ["all", "last", "new"]) ?? { from: "new" as const };
  for (const field of ["group", "slow", "no-local", "max"]) {
    if (header[field] === undefined) continue;
    const message = `The field ${field} is none of a subscription to a stream`;
    throw new RefusedError({ code: "bad-field", message });
  }
  const refusalOf: ReadRefusal = (principal) =>
    stream === DEAD_LETTERS
      ? deadLetterRefusal(principal, topic)
      : streamRefusal(principal, stream, "read");
  check(requester, refusalOf);
  const streams = streamsOf(requester, store, flush);
  const refusal = streams.reserve(sid);
  if (refusal) throw new RefusedError(refusal);
  try {
    const runs = runsOf(header, requester);
    const reader = await store.read({ stream, owner: requester.id, sid, start, topic, runs });
    const after = () => streams.start(sid, { kind: "reader", stream, reader, refusal: refusalOf });
    return { fields: { sid, stream, seq: reader.next }, after };
  } catch (error) {
    streams.release(sid);
    throw error;
  }
}

/** Sends all that the store keeps: who may have that must have every right to read. */
async function backup({ requester, store, header, flush }: Request): Promise<Answer> {
  const sid = sidOf(header);
  const refusalOf: ReadRefusal = (principal) =>
    streamRefusal(principal, ALL, "read") ?? streamRefusal(principal, ALL, "consume") ??
      subscribeRefusal(principal, ">");
  check(requester, refusalOf);
  if (store.copy === undefined) {
    const message = "This broker's store cannot be copied over a connection; where JetStream is " +
      "the store, use 'nats stream backup'";
    throw new StreamError("bad-stream", message);
  }
  const streams = streamsOf(requester, store, flush);
  const making = new AbortController();
  const taken = streams.reserve(sid, making);
  if (taken) throw new RefusedError(taken);
  try {
    const copy = await store.copy(making.signal);
    const reader = new CopyReader(copy, sid);
    const after = () =>
      streams.start(sid, { kind: "reader", stream: ALL, reader, refusal: refusalOf });
    return { fields: { sid, bytes: copy.bytes }, after };
  } catch (error) {
    streams.release(sid);
    throw error;
  }
}

async function consume({ requester, store, header, flush }: Request): Promise<Answer> {
  const stream = nameOf(header, "stream");
  const consumer = nameOf(header, "consumer");
  const sid = sidOf(header);
  const settings = consumerSettingsOf(header);
  const prefetch = prefetchOf(header);
  const start = startOf(header, ["all", "new"]) ?? { from: "all" as const };
  const refusalOf: ReadRefusal = (principal) => streamRefusal(principal, stream, "consume");
  check(requester, refusalOf);
  const streams = streamsOf(requester, store, flush);
  const refusal = streams.reserve(sid);
  if (refusal) throw new RefusedError(refusal);
  try {
    const owner = requester.id;
    const runs = runsOf(header, requester);
    const init = { stream, consumer, owner, sid, settings, start, prefetch, runs };
    const member = await store.join(init);
    const after = () =>
      streams.start(sid, { kind: "member", stream, consumer, member, refusal: refusalOf });
    return { fields: { sid, ...consumerFields(member.figures) }, after };
  } catch (error) {
    streams.release(sid);
    throw error;
  }
}

/** Whether a client gets many messages in one frame: it asks for that, and takes frames of that size. */
function runsOf(header: FrameHeader, { outbox }: Requester): boolean {
  return takesRuns(header) && outbox.takesRuns;
}

function unsubscribe({ requester, store, header, flush }: Request): HeaderInit {
  const sid = sidOf(header);
  if (streamsOf(requester, store, flush).stop(sid)) return {};
  const message = `There is no subscription with the sid ${sid} on this connection`;
  throw new RefusedError({ code: "not-subscribed", message });
}

async function settle(kind: Settle, { requester, store, header }: Request): Promise<HeaderInit> {
  const stream = nameOf(header, "stream");
  try {
    await store.settle({
      kind,
      stream,
      consumer: nameOf(header, "consumer"),
      owner: requester.id,
      deliveries: deliveriesOf(header),
      ...kind === "nack" ? nackOf(header) : { delayMs: undefined, reason: undefined },
      durable: header["id"] !== undefined,
    });
    return {};
  } catch (error) {
    // Who has open deliveries has the right to them. Others are not told which consumers there are.
    need(requester, stream, "consume");
    throw error;
  }
}

async function manageConsumer({ requester, store, header }: Request): Promise<HeaderInit> {
  const stream = nameOf(header, "stream");
  need(requester, stream, "consume");
  const { do: what } = header;
  if (what === "list") {
    const after = afterOf(header);
    const all = await store.consumers(stream, { after, most: PAGE + 1 });
    const consumers = firstPage(all.slice(0, PAGE).map(consumerFields));
    return { consumers, more: consumers.length < all.length };
  }
  const consumer = nameOf(header, "consumer");
  switch (what) {
    case "info": {
      const [figures] = await store.consumers(stream, { only: consumer });
      if (figures) return consumerFields(figures);
      throw noConsumer(stream, consumer);
    }
    case "delete":
      await store.deleteConsumer(stream, consumer);
      return {};
    case "reset": {
      const start = startOf(header, ["all", "new"]);
      if (start) return consumerFields(await store.resetConsumer(stream, consumer, start));
      const message = "Say with from, from-seq or from-time where the consumer begins anew";
      throw new RefusedError({ code: "bad-field", message });
    }
    case "redrive":
      return { redriven: await store.redrive(stream, consumer) };
    default:
      throw new RefusedError(badField("do", "one of info, list, delete, reset, redrive"));
  }
}

/** The first ones, up to what fits into one answer: some have many filters, and long ones. */
function firstPage(all: readonly HeaderInit[]): readonly HeaderInit[] {
  let members = 0;
  let bytes = 0;
  const end = all.findIndex((fields) => {
    for (const value of Object.values(fields)) {
      members += 1 + (Array.isArray(value) ? value.length : 0);
    }
    bytes += encoder.encode(JSON.stringify(fields)).length;
    return ++members > PAGE_MEMBERS || bytes > PAGE_BYTES;
  });
  return end < 0 ? all : all.slice(0, end);
}

function afterOf({ after = "" }: FrameHeader): string {
  if (typeof after === "string") return after;
  throw new RefusedError(badField("after", "a text"));
}

function need(requester: Requester, stream: string, right: StreamRight): void {
  check(requester, (principal) => streamRefusal(principal, stream, right));
}

function check({ principal }: Requester, refusalOf: ReadRefusal): void {
  const refusal = refusalOf(principal!);
  if (refusal) throw new RefusedError(refusal);
}

/** Dead letters belong to those who may consume the stream that they come from. */
function deadLetterRefusal(principal: Principal, topic: string | undefined): Refusal | undefined {
  const [, stream] = topic?.split(".") ?? [];
  const isOne = topic !== undefined && filterCovers(`${DEAD_LETTERS}.>`, topic) &&
    stream !== "*" && stream !== ">";
  if (isOne) return streamRefusal(principal, stream!, "consume");
  const refusal = streamRefusal(principal, ALL, "consume");
  if (refusal === undefined) return undefined;
  const message =
    `${refusal.message}; dead letters of one are read by ${DEAD_LETTERS}.STREAM.CONSUMER`;
  return { ...refusal, message };
}

function needPurge(requester: Requester, name: string, topic: string | undefined): void {
  if (name !== DEAD_LETTERS) return need(requester, name, "purge");
  check(requester, (principal) => deadLetterRefusal(principal, topic));
}
