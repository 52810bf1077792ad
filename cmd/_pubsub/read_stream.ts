import { aborted } from "../../lib/base/aborted.ts";
import { before } from "../../lib/base/before.ts";
import { nameProblem } from "../../lib/pubsub/broker/streams/stream_rights.ts";
import type {
  BrokerClient,
  ConsumedMessage,
  ReadFrom,
  StreamMessage,
} from "../../lib/pubsub/client/mod.ts";
import {
  type Context,
  type FlagTable,
  formatExactCount,
  parseDuration,
  UsageError,
} from "../_cli/mod.ts";
import { printMessage, type PrintOptions } from "./incoming.ts";
import { runForMessage } from "./message_command.ts";
import { killLeftovers } from "./process_group.ts";
import type { SubBounds } from "./sub_bounds.ts";

/** How long a command may take where nothing else is said: as long as the broker waits. */
const ACK_WAIT_MS = 30_000;

/** At the end, what the broker does not answer is not waited for any longer. */
const ENDING_MS = 5_000;

/** The broker is told no more often than this that a message is still worked on. */
const LEAST_WAIT_MS = 50;

/** Flags of `sub` for messages that a stream keeps. */
export const streamFlags = {
  stream: {
    type: "string",
    placeholder: "NAME",
    group: "Streams",
    conflicts: ["group", "slow", "retained", "reply"],
    help: "read this stream of the broker instead of what is published now",
  },
  from: {
    type: "string",
    placeholder: "WHERE",
    group: "Streams",
    requires: ["stream"],
    help:
      "where to begin: all, new, last (of each topic), a number, a time ago (1h), or a local time " +
      "(2026-01-31T12:00) or another (with Z or +01:00 behind); without it, new, and all for a new " +
      "--consumer: one that exists goes on where it was",
  },
  consumer: {
    type: "string",
    placeholder: "NAME",
    group: "Streams",
    requires: ["stream", "each"],
    help:
      "work the stream off with the others of this name: each message goes to one of them, and " +
      "comes again until it is acknowledged",
  },
  each: {
    type: "string",
    placeholder: "COMMAND",
    group: "Streams",
    requires: ["consumer"],
    conflicts: ["raw", "time", "topics-only", "format"],
    help:
      "run this shell command for each message: exit code 0 acknowledges it, another one gives " +
      "it back; stdin is the content",
  },
  attempts: {
    type: "count",
    group: "Streams",
    requires: ["consumer"],
    help:
      "for a new consumer: deliveries after which a message goes to the dead letters (5); 0 for " +
      "no limit",
  },
  "ack-wait": {
    type: "duration",
    min: 1,
    max: 604_800_000,
    group: "Streams",
    requires: ["consumer"],
    help: "end the command after this time, and give the message back (30s); for a new consumer, " +
      "also how long the broker waits",
  },
} as const satisfies FlagTable;

/** The values of the flags that reading a stream needs. */
export interface ReadFlags {
  readonly stream: string | undefined;
  readonly from: string | undefined;
  readonly consumer: string | undefined;
  readonly each: string | undefined;
  readonly attempts: number | undefined;
  readonly "ack-wait": number | undefined;
  readonly parallel: number;
  readonly json: boolean;
}

/** Checks the flags, before anything is connected. @throws {UsageError} */
export function checkReading(flags: ReadFlags, filters: readonly string[]): void {
  for (const name of ["stream", "consumer"] as const) {
    const problem = flags[name] === undefined ? undefined : nameProblem(flags[name]);
    if (problem) throw new UsageError(`--${name} ${flags[name]}: ${problem}`);
  }
  if (flags.stream !== undefined && filters.length > 1) {
    throw new UsageError("--stream takes one FILTER at most");
  }
  const from = flags.from === undefined ? undefined : parseFrom(flags.from);
  if (flags.consumer !== undefined && from === "last") {
    throw new UsageError("--from last is for reading, not for a --consumer");
  }
}

/** Reads `--from`. @throws {UsageError} if it is nothing that it can be. */
export function parseFrom(text: string): ReadFrom | "last" {
  if (text === "all" || text === "new" || text === "last") return text;
  if (/^[1-9][0-9]*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  const agoMs = text === "0" ? undefined : parseDuration(text);
  const timeMs = agoMs === undefined ? parseTime(text) : Date.now() - agoMs;
  // Nothing is older than what was stored in 1970.
  if (timeMs !== undefined) return new Date(Math.max(0, timeMs));
  const known = "all, new, last, a number from 1 on, a time ago (1h) or a time (2026-01-31T12:00)";
  throw new UsageError(`--from ${text}: it must be ${known}`);
}

/** A day, with a time of it, with its difference from UTC. `Date` takes much more, each in a way of its own. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** Milliseconds since 1970 of a time, which is local where it does not say otherwise. */
function parseTime(text: string): number | undefined {
  const [, day, time = "00:00", zone = ""] = TIME.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  const ms = new Date(`${day}T${time}${zone}`).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

/** Whether there is such a day: `Date` takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Has the broker wait while a message's command runs, or is being ended. */
function keepWaiting(message: ConsumedMessage, waitMs: number): Disposable {
  const working = () => void message.working().catch(() => {});
  const timer = setInterval(working, Math.max(LEAST_WAIT_MS, waitMs / 3));
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * Waits until no message is worked on any more. Commands have a limit in time of their own; the broker may
 * answer nothing.
 *
 * @param stopped Resolves when the broker has answered all of it.
 */
export async function endConsuming(
  stopped: Promise<void>,
  commands: Iterable<Promise<unknown>>,
  endingMs: number = ENDING_MS,
): Promise<void> {
  await Promise.race([stopped, Promise.allSettled(commands)]);
  await before(stopped, endingMs);
}

/** Reads a stream until there is enough or the time is over. Resolves to the exit code. */
export async function readStream(
  client: BrokerClient,
  filter: string | undefined,
  flags: ReadFlags,
  printing: PrintOptions,
  bounds: SubBounds,
  context: Context,
): Promise<number | undefined> {
  const { log, out, signal } = context;
  const { stream = "", consumer, each } = flags;
  const { count: most = Infinity, timeUp } = bounds;
  let count = 0;
  const onMissed = (more: number) => {
    log.warn(`missed ${formatExactCount(more, "message")} of ${stream}: no longer kept`);
    if (flags.json) out.json({ type: "missed", stream, count: more, reason: "retention" });
  };
  const from = flags.from === undefined ? undefined : parseFrom(flags.from);
  const enough = Promise.withResolvers<void>();
  void Promise.race([aborted(signal), aborted(timeUp)]).then(enough.resolve);
  let begun = false;
  const take = async (message: StreamMessage) => {
    if (count === most) return;
    count++;
    const room = printMessage(message, printing, out);
    if (count === most) enough.resolve();
    if (room) await room;
  };
  try {
    if (consumer === undefined) {
      const replay = client.replay(stream, { from: from ?? "new", filter, onMissed });
      const reading = (async () => {
        for await (const message of replay) await take(message);
      })();
      await Promise.race([enough.promise, reading]);
      ({ begun } = replay);
      // Closing the client ends what a broker does not answer.
      if (begun && await before(replay.return(), ENDING_MS)) await reading;
      else reading.catch(() => {});
    } else {
      const limitMs = flags["ack-wait"] ?? ACK_WAIT_MS;
      let waitMs: Promise<number> | undefined;
      const commands = new Set<Promise<unknown>>();
      const consumption = client.consume(stream, consumer, {
        from: from as ReadFrom | undefined,
        filter,
        maxAttempts: flags.attempts,
        ackWaitMs: flags["ack-wait"],
        concurrency: flags.parallel,
        // Whatever comes is worked on at once: none waits here while its time runs.
        prefetch: flags.parallel,
        onMissed,
        async onMessage(message: ConsumedMessage) {
          // Those that have begun come to their end.
          if (++count === most) void consumption.stop();
          waitMs ??= client.streams.consumer(stream, consumer).then(({ ackWaitMs }) => ackWaitMs);
          using _waiting = keepWaiting(message, await waitMs.catch(() => limitMs));
          const { seq, topic, attempt } = message;
          const print = (piece: Uint8Array) => flags.json ? undefined : out.bytes(piece);
          const command = runForMessage(each!, message, limitMs, print);
          commands.add(command);
          const reason = await command.finally(() => commands.delete(command));
          if (reason === undefined) await message.ack();
          else {
            log.warn(`${stream} ${seq}, attempt ${attempt}: ${reason}; it is given back`);
            await message.nack({ reason });
          }
          const type = reason === undefined ? "acked" : "nacked";
          if (flags.json) out.json({ type, stream, seq, topic, attempt, reason });
        },
      });
      await Promise.race([enough.promise, consumption.finished]);
      ({ begun } = consumption);
      if (begun) await endConsuming(consumption.stop(), commands);
    }
  } finally {
    await killLeftovers();
  }
  if (signal.aborted) return undefined;
  if (!begun) throw bounds.unconfirmed(`reading ${stream}`);
  return bounds.exitCode(count, log);
}
