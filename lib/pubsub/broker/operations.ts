import type { Frame, FrameHeader } from "../../frame/mod.ts";
import { inSteps } from "../../base/in_steps.ts";
import { badField } from "../protocol/bad_field.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { Refusal } from "../protocol/codes.ts";
import { hello } from "./hello.ts";
import { quote } from "../protocol/quote.ts";
import { BAD_ID, isId } from "../protocol/request_id.ts";
import { isSlowPolicy, SLOW_POLICIES } from "../protocol/slow_policy.ts";
import { subscribeRefusal } from "./routing/rights.ts";
import type { Requester } from "./requester.ts";
import type { RetainedSelection } from "./routing/retained.ts";
import { performStreamOperation, type StreamOp } from "./streams/stream_operations.ts";
import { filterProblem, groupProblem } from "../protocol/topic.ts";

/** Retained frames to look for before looking at the clock again. */
const RETAINED_PART = 100;

/** Carries out a request that is no publication. */
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
  switch (header["op"]) {
    case "hello":
      return hello(requester, core, frame, id);
    case "sub":
      if (header["stream"] !== undefined) break;
      return subscribe(requester, core, header, id);
    case "unsub":
      if (header["sid"] !== undefined) break;
      return unsubscribe(requester, header, id);
    case "stream":
    case "consume":
    case "ack":
    case "nack":
    case "working":
    case "consumer":
      break;
    case "ping":
      requester.outbox.control("pong", { id });
      return undefined;
    case "pong":
      return undefined;
    case "bye":
      requester.end("bye", id);
      return undefined;
    default: {
      const known = "hello, sub, unsub, pub, stream, consume, ack, nack, working, consumer, " +
        "ping, pong, bye";
      return { code: "bad-op", message: `The op ${quote(header["op"])} is none of ${known}` };
    }
  }
  const op = header["op"] as StreamOp;
  performStreamOperation(op, requester, core.streams, header, id, core.flushSoon);
  return undefined;
}

function subscribe(
  requester: Requester,
  core: BrokerCore,
  header: FrameHeader,
  id: number | undefined,
): Refusal | undefined {
  const refusal = filterRefusal(header);
  if (refusal) return refusal;
  const { slow = SLOW_POLICIES[0], "no-local": noLocal = false, max } = header;
  const filter = header["topic"] as string;
  const group = header["group"] as string | undefined;
  if (!isSlowPolicy(slow)) {
    return badField("slow", `one of ${SLOW_POLICIES.join(", ")}`);
  }
  if (typeof noLocal !== "boolean") return badField("no-local", "true or false");
  if (max !== undefined && !isMax(max)) return BAD_MAX;
  if (slow === "block" && !core.allowBlock) {
    return { code: "forbidden", message: "This broker does not permit the policy block" };
  }
  const forbidden = subscribeRefusal(requester.principal!, filter);
  if (forbidden) return forbidden;
  const notOwn = core.inboxes.refusal(filter, requester.inbox);
  if (notOwn) return notOwn;
  const confirm = (retained?: RetainedSelection): Refusal | undefined => {
    const limits = noLocal || max !== undefined ? { noLocal, left: max ?? Infinity } : undefined;
    const refused = requester.subscriptions.add(filter, group, slow, limits);
    if (refused) {
      retained?.release();
      return refused;
    }
    const { outbox } = requester;
    const tooLarge = retained?.limitTo(max ?? Infinity, outbox.maxContentBytes);
    if (id !== undefined) outbox.control("ok", { id, retained: retained?.frames.length ?? 0 });
    if (tooLarge) outbox.control("missed", { topic: filter, ...tooLarge, reason: "too-large" });
    if (retained) {
      const count = retained.frames.length + (tooLarge?.count ?? 0);
      if (limits && count > 0) requester.subscriptions.countHandedOut(filter, count);
      outbox.list(retained);
    }
    return undefined;
  };
  if (group !== undefined) return confirm();
  const walk = core.retained.walk(filter);
  // All in one turn: nothing can be published between the retained frames and what is live.
  const walking = inSteps(() => walk.step(RETAINED_PART));
  if (walking === undefined) return confirm(walk.end());
  requester.waitFor(walking.then(() => {
    const retained = walk.end();
    if (requester.ending) return retained.release();
    // What the client may do may have changed meanwhile.
    const forbidden = subscribeRefusal(requester.principal!, filter);
    if (forbidden) retained.release();
    const refused = forbidden ?? confirm(retained);
    if (refused) requester.refuse(refused, id);
  }));
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

function filterRefusal({ topic, group }: FrameHeader): Refusal | undefined {
  if (topic === undefined) return { code: "bad-filter", message: "The field topic is missing" };
  const problem = filterProblem(topic);
  if (problem !== undefined) {
    return { code: "bad-filter", message: `Cannot use ${quote(topic)} as a filter: ${problem}` };
  }
  const groupFault = group === undefined ? undefined : groupProblem(group);
  if (groupFault === undefined) return undefined;
  return { code: "bad-group", message: `Cannot use ${quote(group)} as a group: ${groupFault}` };
}

const BAD_MAX = badField("max", "a whole number from 1 to 2^53 - 1");

function isMax(max: unknown): max is number {
  return Number.isSafeInteger(max) && (max as number) > 0;
}
