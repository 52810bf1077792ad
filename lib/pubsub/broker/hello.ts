import { askAuthenticator, notCheckedNow } from "../../access/authenticator.ts";
import type { Principal } from "../../access/mod.ts";
import { reportError } from "../../base/report.ts";
import type { Frame, FrameHeader } from "../../frame/mod.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { Refusal } from "../protocol/codes.ts";
import { badField } from "./request_fields.ts";
import { MAX_RUN_BYTES } from "../protocol/run_frame.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { publishRefusal } from "./routing/publications.ts";
import type { Requester } from "./requester.ts";
import { readWill, Will } from "./will.ts";

/** The longest name that a client may call itself by, in UTF-16 units. */
const MAX_NAME_LENGTH = 255;

/** Carries out a `hello`: who the client is, its limits, and its will. */
export function hello(
  requester: Requester,
  core: BrokerCore,
  frame: Frame,
  id: number | undefined,
): Refusal | undefined {
  const { header } = frame;
  const wrong = wrongField(header);
  if (wrong) return wrong;
  const { authenticator } = core;
  if (authenticator && requester.principal) {
    return { code: "bad-op", message: "Hello was said already" };
  }
  const will = readWill(frame);
  if (will && !(will instanceof Will)) return will;
  const welcome = (principal: Principal): Refusal | undefined => {
    // A client that may not have this will can say hello again without it.
    const forbidden = will && publishRefusal(principal, will.topic);
    if (forbidden) return forbidden;
    if (requester.principal === undefined) requester.identify(principal);
    const refusal = requester.setWill(will);
    if (refusal) return refusal;
    const { name, "max-content-length": maxContentBytes = Infinity } = header;
    requester.name = name as string | undefined ?? requester.name;
    const isAll = maxContentBytes as number >= core.limits.maxContentBytes;
    requester.outbox.maxContentBytes = isAll ? Infinity : maxContentBytes as number;
    requester.outbox.takesRuns = maxContentBytes as number >= MAX_RUN_BYTES;
    const inbox = requester.inbox ??= core.inboxes.open();
    if (id !== undefined) requester.outbox.control("ok", { id, ...core.welcome, inbox });
    return undefined;
  };
  if (authenticator === undefined) return welcome(requester.principal!);
  const { token, user, password } = header as Record<string, string | undefined>;
  requester.waitForLogin(async (attempt) => {
    let principal: Principal | undefined;
    try {
      principal = await askAuthenticator(authenticator, { token, user, password }, attempt);
    } catch (failure) {
      if (!attempt.signal?.aborted) tellUnchecked(requester, failure, id);
      return;
    }
    if (requester.ending) return;
    if (principal) {
      const refusal = welcome(principal);
      if (refusal) requester.refuse(refusal, id);
      if (refusal?.code === "over-budget") requester.end("over-budget");
      return;
    }
    const message = token === undefined && user === undefined
      ? "The broker asks for a token, or a user and password"
      : "The credentials are not accepted";
    requester.refuse({ code: "unauthorized", message }, id);
    requester.end("unauthorized");
  }, will?.cost);
  return undefined;
}

/** Tells a client that its credentials could not be checked; what failed is for the operator. */
function tellUnchecked(requester: Requester, failure: unknown, id: number | undefined): void {
  const full = notCheckedNow(failure);
  if (full !== undefined) {
    requester.refuse({ code: "over-budget", message: full }, id);
    return requester.end("over-budget");
  }
  reportError(failure, "The authenticator failed");
  const message = "The broker cannot check the credentials now; say hello again later";
  requester.refuse({ code: "unavailable", message }, id);
}

function wrongField(header: FrameHeader): Refusal | undefined {
  const { version, name, "max-content-length": maxContentBytes } = header;
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
  const isSize = Number.isSafeInteger(maxContentBytes) && (maxContentBytes as number) >= 0;
  if (maxContentBytes !== undefined && !isSize) {
    return badField("max-content-length", "a whole number from 0 to 2^53 - 1");
  }
  return undefined;
}
