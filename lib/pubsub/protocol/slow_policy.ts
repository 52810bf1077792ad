/**
 * What the broker does with publications for a subscriber that does not keep up:
 *
 * - `drop-oldest`: leaves out those that have waited longest.
 * - `drop-new`: leaves out those that arrive while there is no room.
 * - `latest`: keeps only the newest of each topic waiting.
 * - `disconnect`: ends the connection.
 * - `block`: makes the publishers wait, without a bound; only where the broker's operator permits
 *   it.
 */
export type SlowPolicy = "drop-oldest" | "drop-new" | "latest" | "disconnect" | "block";

/** The names of the policies for subscribers that do not keep up. The first is the default. */
export const SLOW_POLICIES = [
  "drop-oldest",
  "drop-new",
  "latest",
  "disconnect",
  "block",
] as const satisfies readonly SlowPolicy[];

/** Whether a value is the name of a policy. */
export function isSlowPolicy(value: unknown): value is SlowPolicy {
  return SLOW_POLICIES.includes(value as SlowPolicy);
}
