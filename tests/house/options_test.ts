/** Every option of the library is checked, with one wording, before anything is opened. */
import { assert, assertEquals } from "@std/assert";
import { ByteCache } from "../../lib/frame/mod.ts";
import { serveEchoThreads } from "../../lib/echo/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch } from "../../lib/search/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { shownValue } from "../../lib/base/value_kind.ts";
import { ROOT } from "../support/programs.ts";
import {
  ADDRESS,
  type Call,
  CALLS,
  frames,
  type Live,
  OF_LIVE,
  takeOpenings,
  withoutOpening,
} from "./option_calls.ts";
import { type MemberKind, type OptionMember, optionMembers } from "./option_members.ts";

/** Numbers of an interface that are taken from another, and of arguments that are no options. */
const FURTHER: readonly (readonly [string, readonly string[], Call])[] = [
  ["a cache", ["capacity"], ({ capacity }) => new ByteCache(capacity)],
  ["serveEchoThreads()", ["threads"], ({ threads }) => serveEchoThreads(ADDRESS, threads)],
  [
    "serveEcho()",
    ["maxConnections", "idleTimeoutMs", "maxAccepted", "drainTimeoutMs"],
    CALLS["echo.EchoServeOptions"]![0]!,
  ],
  [
    "serveEchoThreads()",
    ["maxConnections", "idleTimeoutMs", "drainTimeoutMs"],
    CALLS["echo.EchoServeOptions"]![1]!,
  ],
  ["exchange()", ["maxContentBytes", "maxPendingBytes", "streamTimeoutMs"], frames],
  [
    "serveBroker()",
    ["maxConnections", "drainTimeoutMs", "frameTimeoutMs"],
    CALLS["pubsub.BrokerOptions"]![0]!,
  ],
  ["runTutorialExchange()", ["connections"], CALLS["load.TutorialExchangeOptions"]![0]!],
];

/** Interfaces of which no user gives the members: results, messages and parts within the library. */
const NOT_OPTIONS: readonly string[] = [
  "frame.FrameErrorDetails",
  "load.EarlyEnd",
  "load.ExchangeOutcome",
  "load.LoadSettings",
  "load.LoadSummary",
  "load.OpeningObserver",
  "load.ScheduleInit",
  "proxy.FaultSelectors",
  "pubsub.ConsumerSelection",
  "pubsub.DeliveryFields",
  "pubsub.EngineOptions",
  "pubsub.RunPlace",
  "search.IndexJobOptions",
  "search.IndexWriterOptions",
  "search.IndexerOptions",
  "search.ReadEntry",
  "search.ReadNote",
  "search.ReadOptions",
  "search.ReadingNote",
  "search.Replacements",
  "search.RunOptions",
  "search.SearchErrorOptions",
  "search.WalkOptions",
  "search.WorkerPoolOptions",
  "sqlite.SqliteErrorOptions",
];

/** Interfaces whose members that are no numbers are given by programs. */
const GIVEN =
  /\.(\w*Options|\w*Observer|LoadPlan|StreamChange|StreamInit|Credentials|Will|\w+Tls)$/;

/** Texts with a grammar of their own, which says what is wrong with them in its own words. */
const GRAMMARS = new Set(["pubsub.SubscribeOptions.group", "pubsub.PublishOptions.replyTo"]);

const NUMBERS: readonly unknown[] = [
  NaN,
  -1,
  -Infinity,
  null,
  "5",
  "",
  5n,
  true,
  [5],
  {},
  new Number(5),
  () => 5,
];

/** What is no option of each kind. */
const WRONG: Readonly<Record<MemberKind, readonly unknown[]>> = {
  number: NUMBERS,
  flag: [null, 0, 1, "true", "", {}, [], () => true],
  text: [null, 5, true, {}, ["a"], () => "a", new String("a")],
  texts: [null, 5, "a", {}, [5], ["a", null], () => ["a"]],
  function: [null, 5, true, "f", {}, []],
  signal: [null, 5, true, "stop", {}, [], new AbortController(), () => {}],
};

/** Options that are measures, of which there are fractions; of the others there are none. */
const HAS_FRACTIONS = /Ms$|PerSecond$|^speed$/;

/** What is wrong with how a call refuses an option; `undefined` if it is right. */
async function problemOf(
  call: Call,
  { name, kind }: OptionMember,
  value: unknown,
): Promise<string | undefined> {
  let thrown: unknown;
  try {
    const made = await call({ [name]: value });
    await (made as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.();
    takeOpenings();
    return "it is taken";
  } catch (error) {
    thrown = error;
  }
  const openings = takeOpenings();
  if (openings.length > 0) return `something is opened: ${openings.join()}`;
  // A number of the right type is out of range.
  const isRange = kind === "number" && typeof value === "number";
  if (!(thrown instanceof (isRange ? RangeError : TypeError))) return `it throws ${thrown}`;
  const given = isRange ? String(value) : shownValue(value);
  const isSaid = [name, `tls.${name}`].some((called) =>
    thrown.message.startsWith(`Cannot use ${given} as ${called}: give `)
  );
  return isSaid ? undefined : `it says: ${thrown.message}`;
}

async function problemsOf(call: Call, member: OptionMember): Promise<string[]> {
  const { of, name, kind } = member;
  const fractions = kind !== "number" || HAS_FRACTIONS.test(name) ? [] : [1.5];
  const problems: string[] = [];
  for (const value of [...WRONG[kind], ...fractions]) {
    const problem = await problemOf(call, member, value);
    if (problem) problems.push(`${of}: ${shownValue(value)} as ${name}: ${problem}`);
  }
  return problems;
}

let members: readonly OptionMember[] | undefined;

/** Those of all modules, which are read once. */
function membersInLib(): readonly OptionMember[] {
  return members ??= readMembers();
}

function readMembers(): OptionMember[] {
  const found: OptionMember[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
      const path = `${folder}/${name}`;
      if (isDirectory) visit(path);
      else if (name.endsWith(".ts")) {
        found.push(...optionMembers(path, Deno.readTextFileSync(`${ROOT}${path}`)));
      }
    }
  };
  visit("lib");
  return found.filter(({ of, name, kind }) =>
    kind === "number" || GIVEN.test(of) && !GRAMMARS.has(`${of}.${name}`)
  );
}

Deno.test("every option refuses what it cannot be, before anything is opened", async () => {
  const members = membersInLib();
  assert(members.filter(({ kind }) => kind === "number").length > 40);
  assert(members.filter(({ kind }) => kind !== "number").length > 60);
  const problems: string[] = [];
  for (const of of [...Object.keys(CALLS), ...NOT_OPTIONS]) {
    if (!members.some((member) => member.of === of)) problems.push(`${of} has no options`);
  }
  await withoutOpening(async () => {
    for (const member of members) {
      const { of, name } = member;
      if (NOT_OPTIONS.includes(of) || Object.hasOwn(OF_LIVE, of)) continue;
      const calls = CALLS[of] ?? [];
      if (calls.length === 0) problems.push(`${of}: nothing is known to take its ${name}`);
      for (const call of calls) problems.push(...await problemsOf(call, member));
    }
    for (const [of, names, call] of FURTHER) {
      for (const name of names) {
        problems.push(...await problemsOf(call, { of, name, kind: "number" }));
      }
    }
  });
  assertEquals(problems, []);
});

Deno.test("every option of a single call does too, before anything is sent", async () => {
  await using stack = new AsyncDisposableStack();
  let asked = 0;
  const server = stack.use(
    serveRequests(await listen("127.0.0.1:0"), () => {
      asked++;
      return { content: "" };
    }),
  );
  const broker = stack.use(serveBroker(await listen("127.0.0.1:0")));
  const live: Live = {
    server,
    requests: stack.use(await connectRequests(server.address)),
    broker,
    pubsub: stack.use(await connectBroker(broker.address, { onError: () => {} })),
    engine: stack.use(await openSearch({ workers: 1 })),
  };
  const problems: string[] = [];
  const drain: OptionMember = { of: "drain()", name: "timeoutMs", kind: "number" };
  for (const member of [...membersInLib(), drain]) {
    for (const call of OF_LIVE[member.of]?.(live) ?? []) {
      problems.push(...await problemsOf(call, member));
    }
  }
  assertEquals(problems, []);
  // They are all as they were.
  await live.requests.request({ content: "" });
  await live.pubsub.publishConfirmed("topic");
  assertEquals([asked, broker.stats().published, (await live.engine.stats()).searches], [1, 1, 0]);
});

Deno.test("optionMembers() finds the optional members of exported interfaces, and their kinds", () => {
  const text = `
    export interface A {
      readonly a?: number | undefined;
      b?: number;
      readonly c: number;
      readonly d?: string | undefined;
      e?(): number;
      readonly f?: undefined | string | number;
      readonly g?: boolean;
      readonly h?: (() => void) | undefined;
      readonly i?: AbortSignal | undefined;
      readonly j?: readonly string[] | undefined;
      readonly k?: string | boolean;
      readonly l?: readonly number[];
    }
    interface B { readonly a?: number }
  `;
  assertEquals(
    optionMembers("lib/room/a.ts", text).map(({ of, name, kind }) => `${of}.${name}: ${kind}`),
    [
      "room.A.a: number",
      "room.A.b: number",
      "room.A.d: text",
      "room.A.e: function",
      "room.A.f: number",
      "room.A.g: flag",
      "room.A.h: function",
      "room.A.i: signal",
      "room.A.j: texts",
    ],
  );
});
