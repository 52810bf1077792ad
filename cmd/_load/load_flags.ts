import { type LoadPlan, patternBytes } from "../../lib/load/mod.ts";
import type { Address, ClientTls } from "../../lib/net/mod.ts";
import type { FlagTable } from "../_cli/mod.ts";

/** Any of these turns the client into a load tool. */
export const loadFlags = {
  message: {
    type: "string",
    repeat: true,
    group: "Load",
    conflicts: ["size"],
    help: "send this text; several are sent in turn",
  },
  size: {
    type: "size",
    min: 1,
    max: 1_073_741_824,
    group: "Load",
    help: "send messages of this size; by default, the tutorial's two messages",
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
    help: "send this many messages of a connection at once, the next when all have come back",
  },
  rate: {
    type: "rate",
    max: 10_000_000,
    group: "Load",
    help:
      "open loop: send this many messages per second in total, on a schedule, however slow the " +
      "server is; latency counts from when each was due",
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
    help: "exit with code 3 if this holds: 'p99>5ms', 'messages_per_s<10k', 'errors>0'",
  },
} as const satisfies FlagTable;

/** Whether a command line asks for a load. */
export function asksForLoad(given: ReadonlySet<string>): boolean {
  return Object.keys(loadFlags).some((name) => given.has(name));
}

/** The values of the flags that make the plan. */
interface PlanFlags {
  readonly message: readonly string[];
  readonly size: number | undefined;
  readonly count: number | undefined;
  readonly duration: number | undefined;
  readonly warmup: number | undefined;
  readonly pipeline: number;
  readonly rate: number | undefined;
  readonly "connect-rate": number | undefined;
  readonly workers: number;
  readonly verify: boolean;
  readonly "connect-timeout": number;
  readonly timeout: number;
}

/** The plan that a command line asks for. */
export function planOf(
  address: Address,
  connections: number,
  tls: ClientTls | undefined,
  flags: PlanFlags,
  otherwise: readonly Uint8Array[],
): LoadPlan {
  const encoder = new TextEncoder();
  return {
    address,
    connections,
    tls,
    messages: flags.size !== undefined
      ? [patternBytes(flags.size)]
      : flags.message.length > 0
      ? flags.message.map((text) => encoder.encode(text))
      : otherwise,
    count: flags.count,
    durationMs: flags.duration,
    warmupMs: flags.warmup,
    pipeline: flags.pipeline,
    ratePerSecond: flags.rate,
    connectRatePerSecond: flags["connect-rate"],
    workers: flags.workers,
    verify: flags.verify,
    connectTimeoutMs: flags["connect-timeout"],
    answerTimeoutMs: flags.timeout,
  };
}
