import { type FlagTable, UsageError } from "../_cli/mod.ts";

/** What turns `load` to a broker. */
export const pubsubFlags = {
  publish: {
    type: "string",
    placeholder: "TOPIC",
    group: "Broker",
    requires: ["subscribe"],
    help: "measure a broker end to end: publish on this topic, from NUM_CONNS connections",
  },
  subscribe: {
    type: "string",
    placeholder: "FILTER",
    group: "Broker",
    requires: ["publish"],
    help: "with --publish: what the subscribers subscribe to",
  },
  subscribers: {
    type: "count",
    min: 1,
    max: 100_000,
    group: "Broker",
    requires: ["publish"],
    help: "with --publish: how many subscribers there are, each with a connection; by default, 1",
  },
} as const satisfies FlagTable;

/** Flags that say something of what a server of one kind is sent. */
const OF_BYTES = ["message", "message-file", "message-hex", "answer", "verify"];
const OF_FRAMES = ["request", "requests", "seed"];

/**
 * Refuses flags that would have no effect on a server of the kind that is loaded.
 *
 * @throws {UsageError} if one was given.
 */
export function checkKind(
  kind: "bytes" | "frames" | "publish",
  given: ReadonlySet<string>,
): void {
  const [without, why] = kind === "bytes"
    ? [[...OF_FRAMES, "user", "password", "token"], "it needs --protocol frames, or --publish"]
    : kind === "frames"
    ? [[...OF_BYTES, "size"], "it cannot be used with --protocol frames"]
    : [[...OF_BYTES, ...OF_FRAMES, "protocol", "expect"], "it cannot be used with --publish"];
  const wrong = without.find((name) => given.has(name));
  if (wrong !== undefined) throw new UsageError(`--${wrong}: ${why}`);
}
