import { checkOptions, isBytes, refusal } from "../base/option_kinds.ts";
import {
  countOption,
  FINITE,
  msOption,
  numericOption,
  numericOptions,
  positiveOption,
} from "../base/numeric_options.ts";
import { type Address, type ClientTls, DEFAULT_DIAL_TIMEOUT_MS, toAddress } from "../net/mod.ts";
import { type AnswerFormat, checkAnswerFormat } from "./answers/answer_format.ts";
import type { ExchangeModule, LoadExchange, OpenExchange } from "./exchange/user_exchange.ts";

/** What is to be sent, by how many connections, how fast and for how long. */
export interface LoadPlan {
  /** The server; a text such as `localhost:5633` is read as an address. */
  readonly address: Address | string;
  /** Connect with TLS, with these settings. @default {no TLS} */
  readonly tls?: ClientTls | undefined;
  /** Connections that are opened before the load begins. @default {1} */
  readonly connections?: number | undefined;
  /**
   * What each connection sends, in order, over and over. In a text, `{seq}` stands for the number of
   * the message among those of all connections, `{conn}` for the number of the connection, both from
   * 1, and `{random:8}` for eight random letters and digits.
   *
   * @default {messages of 64 bytes}
   */
  readonly messages?: readonly (string | Uint8Array)[] | undefined;
  /** Instead of `messages`, send messages of this many bytes: the letters a to w over and over. */
  readonly messageBytes?: number | undefined;
  /** How the server's answers end. @default {"echo"} */
  readonly answer?: AnswerFormat | undefined;
  /**
   * What each answer must contain, or an expression that it must match, which may be given as a
   * text. Answers that do not are counted; up to 64 KiB of each are looked at.
   */
  readonly expect?: string | RegExp | undefined;
  /**
   * What is done on the connections, instead of sending `messages`: a function, or with more than
   * one worker a module, since functions cannot be sent to threads.
   */
  readonly exchange?: OpenExchange | LoadExchange | ExchangeModule | undefined;
  /** How many messages each connection sends, instead of a duration. */
  readonly count?: number | undefined;
  /** How long messages are sent, the warm-up not counted. @default {10_000} */
  readonly durationMs?: number | undefined;
  /** How long load runs before anything is recorded. @default {0} */
  readonly warmupMs?: number | undefined;
  /**
   * Messages that a connection sends together. It sends the next ones when all are answered.
   *
   * @default {1}
   */
  readonly pipeline?: number | undefined;
  /** Messages per second, of all connections together: an open loop. @default {a closed loop} */
  readonly ratePerSecond?: number | undefined;
  /** Connections opened per second. @default {no limit} */
  readonly connectRatePerSecond?: number | undefined;
  /** The longest time for one connection to be made. @default {10_000} */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection may receive nothing while it awaits answers. @default {10_000} */
  readonly answerTimeoutMs?: number | undefined;
  /** How long to wait for answers when the last message was due. @default {answerTimeoutMs} */
  readonly drainTimeoutMs?: number | undefined;
  /**
   * Make connections anew that broke or could not be made, with growing waits. Messages that are due
   * meanwhile wait.
   *
   * @default {false}
   */
  readonly reconnect?: boolean | undefined;
  /** Compare every byte that comes back, not only each connection's first message. @default {false} */
  readonly verify?: boolean | undefined;
  /** Threads; the connections are divided among them. @default {1} */
  readonly workers?: number | undefined;
  /** Percentiles in the figures besides 50, 90, 99, 99.9 and 99.99, such as `[95]`. @default {none} */
  readonly percentiles?: readonly number[] | undefined;
}

/** A plan with its defaults filled in. */
export interface ResolvedPlan {
  readonly address: Address;
  readonly tls: ClientTls | undefined;
  readonly connections: number;
  readonly messages: readonly (string | Uint8Array)[];
  /** Instead of `messages`. */
  readonly messageBytes: number | undefined;
  readonly answer: AnswerFormat;
  readonly expect: string | RegExp | undefined;
  readonly exchange: OpenExchange | LoadExchange | ResolvedModule | undefined;
  /** `Infinity` if a duration limits the run. */
  readonly count: number;
  /** `Infinity` if a count limits the run. */
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly pipeline: number;
  readonly ratePerSecond: number | undefined;
  readonly connectRatePerSecond: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly reconnect: boolean;
  readonly verify: boolean;
  readonly workers: number;
  readonly percentiles: readonly number[];
}

/** A module in a form that can be sent to a thread. */
export interface ResolvedModule {
  readonly module: string;
  readonly options: unknown;
}

/** The part of a plan that one thread carries out. */
export interface LoadPart {
  readonly plan: ResolvedPlan;
  /** Which of the plan's threads it is, from 0. */
  readonly index: number;
}

const DEFAULT_MESSAGE_BYTES = 64;
const DEFAULT_DURATION_MS = 10_000;

const ANSWERS = countOption(undefined, 1, FINITE);

const NUMBERS = {
  connections: countOption(1, 1, FINITE),
  messageBytes: countOption(undefined, 1, FINITE),
  count: countOption(Infinity, 1),
  durationMs: positiveOption(undefined),
  warmupMs: msOption(0),
  pipeline: countOption(1, 1, FINITE),
  ratePerSecond: positiveOption(undefined, FINITE),
  connectRatePerSecond: positiveOption(Infinity),
  connectTimeoutMs: msOption(DEFAULT_DIAL_TIMEOUT_MS, 1),
  answerTimeoutMs: msOption(10_000, 1),
  drainTimeoutMs: msOption(undefined),
  workers: countOption(1, 1, 1_024),
};

/**
 * Fills in a plan's defaults, and checks it.
 *
 * @throws {AddressError} if a text is no address.
 * @throws {TypeError | RangeError} if a value makes no sense, or two of them together.
 */
export function resolvePlan(plan: LoadPlan): ResolvedPlan {
  const numbers = numericOptions(NUMBERS, plan);
  checkOptions(plan, { tls: "object", reconnect: "flag", verify: "flag" });
  checkKinds(plan);
  const { messages, messageBytes, exchange, answer = "echo" } = plan;
  const resolved: ResolvedPlan = {
    address: toAddress(plan.address),
    tls: plan.tls,
    ...numbers,
    durationMs: numbers.durationMs ?? (plan.count === undefined ? DEFAULT_DURATION_MS : Infinity),
    drainTimeoutMs: numbers.drainTimeoutMs ?? numbers.answerTimeoutMs,
    messages: messages ?? [],
    messageBytes: messages || exchange ? messageBytes : messageBytes ?? DEFAULT_MESSAGE_BYTES,
    answer,
    expect: plan.expect,
    exchange: exchange && "module" in exchange
      ? { module: String(exchange.module), options: exchange.options }
      : exchange,
    reconnect: plan.reconnect ?? false,
    verify: plan.verify ?? false,
    percentiles: plan.percentiles ?? [],
  };
  check(resolved, plan);
  // A thread without a connection has nothing to do.
  return { ...resolved, workers: Math.min(resolved.workers, resolved.connections) };
}

/** Checks what is neither a number nor of a kind that other options have. */
function checkKinds({ messages, expect, exchange, percentiles }: LoadPlan): void {
  const check = (name: string, value: unknown, isRight: boolean, expected: string) => {
    if (value !== undefined && !isRight) throw new TypeError(refusal(name, value, expected));
  };
  const areMessages = Array.isArray(messages) &&
    messages.every((each) => typeof each === "string" || isBytes(each));
  check("messages", messages, areMessages, "an array of strings and Uint8Arrays");
  const isExpected = typeof expect === "string" || expect instanceof RegExp;
  check("expect", expect, isExpected, "a string or a RegExp");
  const areNumbers = Array.isArray(percentiles) &&
    percentiles.every((each) => typeof each === "number");
  check("percentiles", percentiles, areNumbers, "an array of numbers");
  check("exchange", exchange, isExchange(exchange), "a function, { open } or { module }");
}

function isExchange(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "function";
  if ("module" in value) return typeof value.module === "string" || value.module instanceof URL;
  return "open" in value && typeof value.open === "function";
}

function check(resolved: ResolvedPlan, plan: LoadPlan): void {
  const { messages, messageBytes, pipeline, ratePerSecond, exchange, answer } = resolved;
  const { count, durationMs, warmupMs = 0 } = plan;
  if (exchange !== undefined) {
    const beside = (["messages", "messageBytes", "answer", "expect"] as const)
      .find((name) => plan[name] !== undefined);
    if (beside) throw new RangeError(`Cannot have ${beside} beside an exchange`);
    if (resolved.workers > 1 && !("module" in exchange)) {
      throw new TypeError(
        `Cannot send a function to ${resolved.workers} workers: give { module, options }`,
      );
    }
  } else if (plan.messages && messageBytes !== undefined) {
    throw new RangeError("Cannot have messageBytes beside messages");
  } else if (plan.messages && (messages.length === 0 || messages.some((each) => !each.length))) {
    throw new RangeError("Cannot send messages without a byte: nothing would come back");
  }
  if (exchange !== undefined && "open" in exchange) {
    numericOption("answers", exchange.answers, ANSWERS);
  }
  checkAnswerFormat(answer);
  if (plan.expect !== undefined && (answer === "echo" || answer === "none")) {
    throw new RangeError(`Cannot expect anything of answers where answer is ${answer}`);
  }
  if (count !== undefined && (durationMs !== undefined || warmupMs > 0)) {
    throw new RangeError("Cannot have a count beside a duration or a warm-up");
  }
  if (ratePerSecond !== undefined && pipeline > 1) {
    throw new RangeError("Cannot have a pipeline beside a rate: an open loop does not wait");
  }
  const wrong = resolved.percentiles.find((each) => !(each > 0 && each <= 100));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot use ${wrong} as a percentile: give a number above 0, to 100`);
  }
}
