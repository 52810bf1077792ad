import { filterProblem, nameProblem, topicsProblem } from "../../lib/pubsub/mod.ts";
import { UsageError } from "../_cli/mod.ts";

/** What `socktool stream` does. */
export const ACTIONS = [
  "create",
  "update",
  "info",
  "list",
  "delete",
  "purge",
  "consumers",
  "dead",
  "redrive",
  "backup",
  "verify",
  "repair",
] as const;

/** One of them. */
export type Action = typeof ACTIONS[number];

/** What must stand behind each action. */
const EXPECTED: Readonly<Record<Action, readonly [least: number, most: number]>> = {
  create: [2, 17],
  update: [1, 17],
  info: [1, 1],
  list: [0, 0],
  delete: [1, 1],
  purge: [1, 1],
  consumers: [1, 1],
  dead: [2, 2],
  redrive: [2, 2],
  backup: [1, 1],
  verify: [0, 0],
  repair: [0, 0],
};

/** What can be done with the folder of a store. */
export type Care = "backup" | "verify" | "repair";
const CARES: readonly string[] = ["backup", "verify", "repair"] satisfies readonly Care[];

/** Flags that are for some actions only. */
const SETTINGS: readonly string[] = [
  "max-age",
  "max-bytes",
  "max-count",
  "max-per-topic",
  "full",
  "keep",
  "sync",
  "dedup",
];
const PURGE: readonly string[] = ["before-seq", "filter"];

/** @throws {UsageError} if words are missing behind an action, too many, or wrong. */
export function checkWords(action: Action, words: readonly string[]): void {
  const [least, most] = EXPECTED[action];
  if (words.length < least) {
    const missing = action === "backup"
      ? "FILE"
      : words.length === 0
      ? "NAME"
      : action === "create"
      ? "FILTER"
      : "CONSUMER";
    throw new UsageError(`stream ${action}: ${missing} is missing`);
  }
  if (words.length > most) throw new UsageError(`stream ${action}: ${words[most]} is too much`);
  const [name, ...more] = words;
  const problem = name === undefined || action === "backup" ? undefined : nameProblem(name);
  if (problem) throw new UsageError(`NAME ${name}: ${problem}`);
  if (action === "dead" || action === "redrive") {
    const fault = nameProblem(more[0]);
    if (fault) throw new UsageError(`CONSUMER ${more[0]}: ${fault}`);
  } else if (more.length > 0) {
    const fault = topicsProblem(more);
    if (fault) throw new UsageError(`FILTER: ${fault}`);
  }
}

/** @throws {UsageError} if one of them means nothing beside the action, or one is missing. */
export function checkFlags(
  action: Action,
  flags: { readonly store: string | undefined; readonly filter: string | undefined },
  given: ReadonlySet<string>,
): void {
  const [isChange, isPurge] = [action === "create" || action === "update", action === "purge"];
  for (const [names, fits] of [[SETTINGS, isChange], [PURGE, isPurge]] as const) {
    for (const name of names) {
      if (given.has(name) && !fits) throw new UsageError(`--${name} is not for ${action}`);
    }
  }
  if (flags.store !== undefined && !CARES.includes(action)) {
    throw new UsageError(`--store is not for ${action}`);
  }
  if (flags.store === undefined && (action === "verify" || action === "repair")) {
    throw new UsageError(`stream ${action} needs --store DIR`);
  }
  const fault = flags.filter === undefined ? undefined : filterProblem(flags.filter);
  if (fault) throw new UsageError(`--filter ${flags.filter}: ${fault}`);
}
