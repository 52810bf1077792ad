import type { LoadPlan } from "../../lib/load/mod.ts";
import type { Address, ClientTls } from "../../lib/net/mod.ts";
import { connectTimeoutFlag, type FlagTable, UsageError } from "../_cli/mod.ts";
import { parseAnswer } from "./answer_flag.ts";
import { messagesOf } from "./message_flags.ts";
import { parsePercentiles } from "./percentiles_flag.ts";

/** Any of these turns the client into a load tool. */
export const loadFlags = {
  message: {
    type: "string",
    repeat: true,
    group: "Load",
    conflicts: ["size"],
    help: "send this text, in which {seq}, {conn} and {random:8} are filled in; several are sent " +
      "in turn",
  },
  "message-file": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    repeat: true,
    group: "Load",
    conflicts: ["size"],
    help: "send what this file holds, up to 64 MiB",
  },
  "message-hex": {
    type: "string",
    placeholder: "HEX",
    repeat: true,
    group: "Load",
    conflicts: ["size"],
    help: "send these bytes, such as '0a ff 00'",
  },
  size: {
    type: "size",
    min: 1,
    max: 1_073_741_824,
    group: "Load",
    help: "send messages of this size; by default, the tutorial's two messages",
  },
  answer: {
    type: "string",
    placeholder: "FORM",
    group: "Load",
    help: "how an answer ends: echo, until:'\\n', bytes:12, length:u32be (u8, u16le …; " +
      "length:u32be:inclusive if it counts itself), close, or none; by default, echo",
  },
  expect: {
    type: "string",
    group: "Load",
    help: "count answers that neither contain this text nor match it as a regular expression",
  },
  count: {
    type: "count",
    min: 1,
    group: "Load",
    conflicts: ["duration", "warmup"],
    help: "send this many messages on each connection",
  },
  duration: {
    type: "duration",
    min: 1,
    group: "Load",
    help: "send for this long; 10s if there is no --count either",
  },
  warmup: {
    type: "duration",
    group: "Load",
    help: "send for this long before recording starts",
  },
  pipeline: {
    type: "count",
    min: 1,
    max: 65_536,
    default: "1",
    group: "Load",
    conflicts: ["rate"],
    help: "send this many messages of a connection at once, the next when all are answered",
  },
  rate: {
    type: "rate",
    max: 10_000_000,
    group: "Load",
    help: "open loop: send this many messages per second in total (or 6/m, 90/h), on a schedule, " +
      "however slow the server is; latency counts from when each was due",
  },
  "drain-timeout": {
    type: "duration",
    group: "Load",
    help: "wait this long for answers after the last message was due; by default, as --timeout",
  },
  reconnect: {
    type: "boolean",
    group: "Load",
    help: "make connections anew that broke or could not be made; what is due meanwhile waits",
  },
  "connect-rate": {
    type: "rate",
    group: "Load",
    help: "open this many connections per second; by default, as fast as possible",
  },
  workers: {
    type: "integer",
    min: 1,
    max: 64,
    default: "1",
    group: "Load",
    help: "send from this many threads",
  },
  verify: {
    type: "boolean",
    group: "Load",
    help: "compare every byte that comes back, not only the first message of each connection",
  },
  percentiles: {
    type: "string",
    placeholder: "LIST",
    group: "Result",
    help: "show these percentiles, such as 50,95,99.95",
  },
  hdr: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Result",
    help: "write the percentile distribution in the format of HdrHistogram's plotters",
  },
  report: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Result",
    help: "write an HTML page with charts",
  },
  save: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Result",
    help: "save the run for a later --compare",
  },
  compare: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Result",
    help: "compare with a run that --save wrote",
  },
  "fail-if": {
    type: "string",
    repeat: true,
    placeholder: "TEST",
    group: "Result",
    help: "exit with code 3 if this holds: 'p99.9>5ms', 'messages_per_s<10k', 'errors>1%'",
  },
} as const satisfies FlagTable;

/** The time limits of a load's connections. */
export const connectionFlags = {
  ...connectTimeoutFlag,
  timeout: {
    type: "duration",
    default: "10s",
    min: 1,
    help: "give up on a connection when bytes are due and none comes for this long",
  },
} as const satisfies FlagTable;

/** Whether a command line asks for a load. */
export function asksForLoad(given: ReadonlySet<string>): boolean {
  return Object.keys(loadFlags).some((name) => given.has(name));
}

/** The values of the flags that make the plan. */
export interface PlanFlags {
  readonly message: readonly string[];
  readonly "message-file": readonly string[];
  readonly "message-hex": readonly string[];
  readonly size: number | undefined;
  readonly answer: string | undefined;
  readonly expect: string | undefined;
  readonly count: number | undefined;
  readonly duration: number | undefined;
  readonly warmup: number | undefined;
  readonly pipeline: number;
  readonly rate: number | undefined;
  readonly "drain-timeout": number | undefined;
  readonly reconnect: boolean;
  readonly "connect-rate": number | undefined;
  readonly workers: number;
  readonly verify: boolean;
  readonly percentiles: string | undefined;
  readonly "connect-timeout": number;
  readonly timeout: number;
}

/**
 * The plan that a command line asks for.
 *
 * @throws {UsageError} if a flag cannot be read.
 */
export async function planOf(
  address: Address,
  connections: number,
  tls: ClientTls | undefined,
  flags: PlanFlags,
): Promise<LoadPlan> {
  const answer = flags.answer === undefined ? undefined : parseAnswer(flags.answer);
  if (flags.expect !== undefined && (answer ?? "echo") === "echo") {
    throw new UsageError("--expect: an echo is compared anyway; say with --answer how answers end");
  }
  if (flags.expect !== undefined && answer === "none") {
    throw new UsageError("--expect: with --answer none there is no answer");
  }
  return {
    ...pacingOf(address, connections, tls, flags),
    ...await messagesOf(flags),
    answer,
    expect: flags.expect,
    verify: flags.verify,
  };
}

/** What a plan has whatever is sent: where, how fast, how long. */
export function pacingOf(
  address: Address,
  connections: number,
  tls: ClientTls | undefined,
  flags: Omit<PlanFlags, "answer" | "expect" | "message" | "size" | "verify">,
): LoadPlan {
  return {
    address,
    connections,
    tls,
    count: flags.count,
    durationMs: flags.duration,
    warmupMs: flags.warmup,
    pipeline: flags.pipeline,
    ratePerSecond: flags.rate,
    drainTimeoutMs: flags["drain-timeout"],
    reconnect: flags.reconnect,
    connectRatePerSecond: flags["connect-rate"],
    workers: flags.workers,
    connectTimeoutMs: flags["connect-timeout"],
    answerTimeoutMs: flags.timeout,
    percentiles: parsePercentiles(flags.percentiles),
  };
}
