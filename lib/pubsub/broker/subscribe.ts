import type { FrameHeader } from "../../frame/mod.ts";
import { atOnce, inSteps } from "../../base/in_steps.ts";
import { BAD_MAX, badField, filterRefusal, isMax } from "./request_fields.ts";
import type { Refusal } from "../protocol/codes.ts";
import { isSlowPolicy, SLOW_POLICIES, type SlowPolicy } from "../protocol/slow_policy.ts";
import type { SharedBackplane } from "./backplane.ts";
import type { BrokerCore } from "./broker_core.ts";
import type { Requester } from "./requester.ts";
import type { PublicationCount } from "./routing/publication_counters.ts";
import type { RetainedSelection } from "./routing/retained.ts";
import { subscribeRefusal } from "./routing/rights.ts";

/** Retained frames to look for before looking at the clock again. */
const RETAINED_PART = 100;

/** The same while a thousand clients subscribe at once; the rest waits for a turn. */
const SMALL_PART = 10;

/** What a `sub` asks for. */
interface Asked {
  readonly id: number | undefined;
  readonly filter: string;
  readonly group: string | undefined;
  readonly slow: SlowPolicy;
  readonly noLocal: boolean;
  readonly max: number | undefined;
  /** Whether the client wants to know how many publications the filter has matched. */
  readonly counted: boolean;
}

/** Nothing was added, because the connection is about to end. */
const ENDING = Symbol("ending");

/** Why a subscription was not added; `undefined` if it was. */
type Outcome = Refusal | typeof ENDING | undefined;

/** Carries out a `sub`. @returns Why it is refused, if that is known at once. */
export function subscribe(
  requester: Requester,
  core: BrokerCore,
  header: FrameHeader,
  id: number | undefined,
): Refusal | undefined {
  const refusal = filterRefusal(header);
  if (refusal) return refusal;
  const { slow = SLOW_POLICIES[0], "no-local": noLocal = false, max, counted = false } = header;
  const filter = header["topic"] as string;
  const group = header["group"] as string | undefined;
  if (!isSlowPolicy(slow)) {
    return badField("slow", `one of ${SLOW_POLICIES.join(", ")}`);
  }
  if (typeof noLocal !== "boolean") return badField("no-local", "true or false");
  if (typeof counted !== "boolean") return badField("counted", "true or false");
  if (max !== undefined && !isMax(max)) return BAD_MAX;
  if (slow === "block" && !core.allowBlock) {
    return { code: "forbidden", message: "This broker does not permit the policy block" };
  }
  const forbidden = subscribeRefusal(requester.principal!, filter) ??
    core.inboxes.refusal(filter, requester.inbox);
  if (forbidden) return forbidden;
  const asked = { id, filter, group, slow, noLocal, max, counted };
  const { shared } = core;
  if (shared) {
    const impossible = shared.subscribeRefusal(filter, group, noLocal);
    if (impossible) return impossible;
    if (!requester.subscriptions.has(filter, group)) {
      requester.waitFor(subscribeEverywhere(requester, core, shared, asked));
      return undefined;
    }
  }
  const done = subscribeHere(requester, core, asked);
  if (!(done instanceof Promise)) return done === ENDING ? undefined : done;
  requester.waitFor(done.then((refused) => {
    if (refused && refused !== ENDING) requester.refuse(refused, id);
  }));
  return undefined;
}

/** Subscribes once other brokers send what the filter matches: from the `ok` on nothing is missing. */
async function subscribeEverywhere(
  requester: Requester,
  core: BrokerCore,
  shared: SharedBackplane,
  asked: Asked,
): Promise<void> {
  const { filter, group, id } = asked;
  const impossible = await shared.open(filter, group);
  const refused = impossible ?? await subscribeHere(requester, core, asked);
  // What was added is closed when the subscription ends.
  if (refused && !impossible) shared.close(filter, group);
  if (refused && refused !== ENDING) requester.refuse(refused, id);
}

/**
 * @returns Why it is refused, if it is; {@linkcode ENDING}; a promise of that if there are retained
 * frames to look for.
 */
function subscribeHere(
  requester: Requester,
  core: BrokerCore,
  asked: Asked,
): Outcome | Promise<Outcome> {
  const { filter, group } = asked;
  if (requester.ending) return ENDING;
  if (group !== undefined) return confirm(requester, core, asked);
  const walk = core.retained.walk(filter);
  // All in one turn: nothing can be published between the retained frames and what is live.
  const isFound = core.requestTime.isSpent(performance.now())
    ? walk.step(SMALL_PART)
    : atOnce(() => walk.step(RETAINED_PART));
  if (isFound) return confirm(requester, core, asked, walk.end());
  walk.end().release();
  return core.walks.run("", () => subscribeAfterWalk(requester, core, asked));
}

/** The same where there are many retained frames to look for. */
async function subscribeAfterWalk(
  requester: Requester,
  core: BrokerCore,
  asked: Asked,
): Promise<Outcome> {
  // It may have waited for others.
  const turn = core.pause();
  if (turn) await turn;
  if (requester.ending) return ENDING;
  const { filter } = asked;
  let retained = core.retained.again(filter);
  if (retained === undefined) {
    const walk = core.retained.walk(filter);
    await inSteps(() => walk.step(RETAINED_PART), core.pause);
    retained = walk.end();
  }
  // What the client may do may have changed meanwhile.
  const forbidden = subscribeRefusal(requester.principal!, filter);
  if (!requester.ending && !forbidden) return confirm(requester, core, asked, retained);
  retained.release();
  return requester.ending ? ENDING : forbidden;
}

function confirm(
  requester: Requester,
  core: BrokerCore,
  asked: Asked,
  retained?: RetainedSelection,
): Refusal | undefined {
  const { id, filter, group, slow, noLocal, max } = asked;
  const limits = noLocal || max !== undefined ? { noLocal, left: max ?? Infinity } : undefined;
  const refused = requester.subscriptions.add(filter, group, slow, limits);
  if (refused) {
    retained?.release();
    return refused;
  }
  const { outbox } = requester;
  const tooLarge = retained?.limitTo(max ?? Infinity, outbox.maxContentBytes);
  if (id !== undefined) {
    const count = countOf(core, asked);
    outbox.control("ok", { id, retained: retained?.frames.length ?? 0, ...count });
  }
  if (tooLarge) {
    const reason = "too-large";
    outbox.control("missed", { topic: filter, ...tooLarge, reason, retained: true });
  }
  if (retained) {
    const count = retained.frames.length + (tooLarge?.count ?? 0);
    if (limits && count > 0) requester.subscriptions.countHandedOut(filter, count);
    outbox.list(retained);
  }
  return undefined;
}

/** What the filter has matched, where the client can know by it what it has missed. */
function countOf(
  { shared, publicationCounters }: BrokerCore,
  { counted, filter, group, noLocal, max }: Asked,
): PublicationCount | undefined {
  // Who gets only a part of it has to know by other means.
  const getsAll = group === undefined && !noLocal && max === undefined && shared === undefined;
  return counted && getsAll ? publicationCounters.of(filter, performance.now()) : undefined;
}
