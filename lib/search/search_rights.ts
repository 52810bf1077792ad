import type { RightsGrammar } from "../access/mod.ts";

/** The names of the actions that a right can name. */
export const ACTION_NAMES = ["search", "suggest", "get", "put", "delete", "stats"] as const;

/**
 * The rights that the search app checks, for `parseAuthFile`: `actions` with the names of actions, or
 * `*` for all.
 */
export const SEARCH_RIGHTS: RightsGrammar = {
  actions: (pattern) =>
    pattern === "*" || (ACTION_NAMES as readonly unknown[]).includes(pattern)
      ? undefined
      : `it must be *, or one of ${ACTION_NAMES.join(", ")}`,
};
