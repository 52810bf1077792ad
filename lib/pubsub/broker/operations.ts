import { importLater, LaterModule } from "../../base/import_later.ts";
import type { Frame, FrameHeader } from "../../frame/mod.ts";
import type { BrokerCore } from "./broker_core.ts";
import { BAD_ID, BAD_MAX, badField, filterRefusal, isId, isMax } from "./request_fields.ts";
import type { Refusal } from "../protocol/codes.ts";
import type { Outbox } from "./delivery/outbox.ts";
import { hello } from "./hello.ts";
import { quote } from "../protocol/quote.ts";
import type { Requester } from "./requester.ts";
import { subscribe } from "./subscribe.ts";
import type { StreamOp } from "./streams/stream_operations.ts";
import { isWholeNumber } from "../protocol/whole_number.ts";

/**
 * What deals with streams, for brokers that have a store. Stores import it by its name, so that
 * whatever packs a program with one finds it.
 */
export const streamWork = new LaterModule(() =>
  importLater<typeof import("./streams/stream_work.ts")>(
    new URL("./streams/stream_work.ts", import.meta.url),
  )
);

/** The refusal of everything that concerns streams, where there is no store. */
const NO_STORE: Refusal = {
  code: "no-stream",
  message: "This broker keeps no streams: start it with --store DIR, or with --nats",
};

/** Why a publication that has a field `stored` is refused without a store; `undefined` if it is not. */
export function refusalWithoutStore({ stored }: FrameHeader): Refusal | undefined {
  if (typeof stored !== "boolean") return badField("stored", "true or false");
  return stored ? NO_STORE : undefined;
}

/** Whether a request is one for {@linkcode streamWork}. */
export function concernsStreams(header: FrameHeader): boolean {
  switch (header["op"]) {
    case "sub":
      return header["stream"] !== undefined;
    case "unsub":
      return header["sid"] !== undefined;
    case "stream":
    case "consume":
    case "ack":
    case "nack":
    case "working":
    case "consumer":
      return true;
    default:
      return false;
  }
}

/** Carries out a request that is no publication. With a store, {@linkcode streamWork} is loaded. */
export function performOperation(
  requester: Requester,
  core: BrokerCore,
  frame: Frame,
): void {
  const { op, id } = frame.header;
  if (id !== undefined && !isId(id)) return requester.refuse(BAD_ID);
  if (requester.principal === undefined && op !== "hello") {
    const message = "Say hello first, with a token or a user and password";
    requester.refuse({ code: "unauthorized", message }, id);
    return requester.end("unauthorized");
  }
  const refusal = answer(requester, core, frame, id);
  if (refusal) requester.refuse(refusal, id);
}

function answer(
  requester: Requester,
  core: BrokerCore,
  frame: Frame,
  id: number | undefined,
): Refusal | undefined {
  const { header } = frame;
  if (concernsStreams(header)) {
    if (core.streams === undefined) return NO_STORE;
    const op = header["op"] as StreamOp;
    streamWork.module!.performStreamOperation(op, requester, core.streams, header, id, core);
    return undefined;
  }
  switch (header["op"]) {
    case "hello":
      return hello(requester, core, frame, id);
    case "sub":
      return subscribe(requester, core, header, id);
    case "unsub":
      return unsubscribe(requester, header, id);
    case "ping":
      requester.outbox.control("pong", { id });
      return undefined;
    case "pong":
      return noteTaken(requester.outbox, header["taken"]);
    case "bye":
      requester.end("bye", id);
      return undefined;
    default: {
      const known = "hello, sub, unsub, pub, stream, consume, ack, nack, working, consumer, " +
        "ping, pong, bye";
      return { code: "bad-op", message: `The op ${quote(header["op"])} is none of ${known}` };
    }
  }
}

/** Notes how many bytes a client says that it has read: a full socket does not show that for seconds. */
function noteTaken(outbox: Outbox, taken: unknown): Refusal | undefined {
  if (taken === undefined) return undefined;
  if (!isWholeNumber(taken)) return badField("taken", "a whole number of bytes");
  // It cannot have taken what was not sent.
  outbox.toldBytes = Math.max(outbox.toldBytes, Math.min(taken, outbox.writtenBytes));
  return undefined;
}

function unsubscribe(
  requester: Requester,
  header: FrameHeader,
  id: number | undefined,
): Refusal | undefined {
  const refusal = filterRefusal(header);
  if (refusal) return refusal;
  const filter = header["topic"] as string;
  const group = header["group"] as string | undefined;
  const { max } = header;
  if (max !== undefined && !isMax(max)) return BAD_MAX;
  const { subscriptions } = requester;
  if (!(max ? subscriptions.endAfter(filter, group, max) : subscriptions.remove(filter, group))) {
    const message = `There is no subscription to ${quote(filter)} on this connection`;
    return { code: "not-subscribed", message };
  }
  if (id !== undefined) requester.outbox.control("ok", { id });
  return undefined;
}
