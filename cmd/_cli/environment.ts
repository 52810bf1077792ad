import type { FlagTable } from "./spec.ts";

/** The environment variables that flags can be set by, and those of the whole program. */
export function environmentRows(
  tables: readonly FlagTable[],
): [variable: string, meaning: string][] {
  const rows = new Map<string, string>();
  for (const table of tables) {
    for (const [name, spec] of Object.entries(table)) {
      if (spec.type === "boolean" || spec.env === undefined || spec.hidden) continue;
      rows.set(spec.env, `Stands in for --${name} where the flag is not given: ${spec.help}.`);
    }
  }
  rows.set("NO_COLOR", "If it is set, nothing is printed in colour.");
  rows.set(
    "NOTIFY_SOCKET",
    "Set by systemd for units of Type=notify: a server tells it there that it serves, reads its " +
      "files again or ends, and with WATCHDOG_USEC that it lives.",
  );
  return [...rows];
}

/** A variable that is not read by a command, but by the file that has the program in it. */
export const CACHE_VARIABLE: readonly [variable: string, meaning: string] = [
  "SOCKTOOL_CACHE",
  "Where the portable file unpacks itself, if not in the user's cache folder.",
];
