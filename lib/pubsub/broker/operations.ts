import type { FrameHeader } from "../../frame/mod.ts";
import { inSteps } from "../../base/in_steps.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { Refusal } from "../protocol/codes.ts";
import { quote } from "../protocol/quote.ts";
import { BAD_ID, isId } from "../protocol/request_id.ts";
import { isSlowPolicy, SLOW_POLICIES } from "../protocol/slow_policy.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { subscribeRefusal } from "./routing/rights.ts";
import type { Principal } from "../../access/mod.ts";
import type { Requester } from "./requester.ts";
import type { RetainedSelection } from "./routing/retained.ts";
import { filterProblem, groupProblem } from "../protocol/topic.ts";

/** How many retained frames are looked for between two looks at the clock. */
const RETAINED_PART = 100;

/** The longest name that a client may call itself by, in UTF-16 units. */
const MAX_NAME_LENGTH = 255;

/** Carries out a request that is no publication. */
export function performOperation(
  requester: Requester,
  core: BrokerCore,
  header: FrameHeader,
): void {
  const { op, id } = header;
  if (id !== undefined && !isId(id)) return requester.refuse(BAD_ID);
  if (requester.principal === undefined && op !== "hello") {
    const message = "Say hello first, with a token or a user and password";
    requester.refuse({ code: "unauthorized", message }, id);
    return requester.end("unauthorized");
  }
  const refusal = answer(requester, core, header, id);
  if (refusal) requester.refuse(refusal, id);
}

function answer(
  requester: Requester,
  core: BrokerCore,
  header: FrameHeader,
  id: number | undefined,
): Refusal | undefined {
  switch (header["op"]) {
    case "hello":
      return hello(requester, core, header, id);
    case "sub":
      return subscribe(requester, core, header, id);
    case "unsub":
      return unsubscribe(requester, header, id);
    case "ping":
      requester.outbox.control("pong", { id });
      return undefined;
    case "pong":
      return undefined;
    case "bye":
      requester.end("bye");
      return undefined;
    default: {
      const known = "hello, sub, unsub, pub, ping, pong, bye";
      return { code: "bad-op", message: `The op ${quote(header["op"])} is none of ${known}` };
    }
  }
}

function hello(
  requester: Requester,
  core: BrokerCore,
  header: FrameHeader,
  id: number | undefined,
): Refusal | undefined {
  const { version, name } = header;
  if (version !== undefined && version !== PROTOCOL_VERSION) {
    return badField("version", `${PROTOCOL_VERSION}: no other is spoken here`);
  }
  if (name !== undefined && (typeof name !== "string" || name.length > MAX_NAME_LENGTH)) {
    return badField("name", `a text of ${MAX_NAME_LENGTH} letters at most`);
  }
  for (const field of ["token", "user", "password"]) {
    if (header[field] !== undefined && typeof header[field] !== "string") {
      return badField(field, "a text");
    }
  }
  const welcome = () => {
    requester.name = name ?? requester.name;
    const inbox = requester.inbox ??= core.inboxes.open();
    if (id !== undefined) requester.outbox.control("ok", { id, ...core.welcome, inbox });
  };
  const { authenticator } = core;
  if (authenticator === undefined) {
    welcome();
    return undefined;
  }
  if (requester.principal) return { code: "bad-op", message: "Hello was said already" };
  const { token, user, password } = header as Record<string, string | undefined>;
  requester.waitForLogin(async (attempt) => {
    let principal: Principal | undefined;
    try {
      principal = await authenticator.authenticate({ token, user, password }, attempt);
    } catch {
      if (attempt.signal?.aborted) return;
      const message = "The broker cannot check the credentials now: too many logins wait";
      requester.refuse({ code: "over-budget", message }, id);
      return requester.end("over-budget");
    }
    if (requester.ending) return;
    if (principal) {
      requester.identify(principal);
      return welcome();
    }
    const message = token === undefined && user === undefined
      ? "The broker asks for a token, or a user and password"
      : "The credentials are not accepted";
    requester.refuse({ code: "unauthorized", message }, id);
    requester.end("unauthorized");
  });
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
  const { slow = SLOW_POLICIES[0] } = header;
  const filter = header["topic"] as string;
  const group = header["group"] as string | undefined;
  if (!isSlowPolicy(slow)) {
    return badField("slow", `one of ${SLOW_POLICIES.join(", ")}`);
  }
  if (slow === "block" && !core.allowBlock) {
    return { code: "forbidden", message: "This broker does not permit the policy block" };
  }
  const forbidden = subscribeRefusal(requester.principal!, filter);
  if (forbidden) return forbidden;
  const notOwn = core.inboxes.refusal(filter, requester.inbox);
  if (notOwn) return notOwn;
  const confirm = (retained?: RetainedSelection): Refusal | undefined => {
    const refused = requester.subscriptions.add(filter, group, slow);
    if (refused) {
      retained?.release();
      return refused;
    }
    const { outbox } = requester;
    if (id !== undefined) outbox.control("ok", { id, retained: retained?.frames.length ?? 0 });
    if (retained) outbox.list(retained);
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
  if (!requester.subscriptions.remove(filter, header["group"] as string | undefined)) {
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

function badField(field: string, expected: string): Refusal {
  return { code: "bad-field", message: `The field ${field} must be ${expected}` };
}
