/**
 * What a right extends to, in patterns. What a pattern is, and when one fits, is up to the role
 * that checks the right: a filter of topics, say.
 */
export interface Permission {
  /** What is permitted. Without a pattern that fits, nothing is. */
  readonly allow: readonly string[];
  /** What is forbidden although `allow` permits it. */
  readonly deny: readonly string[];
}

const NOTHING: Permission = { allow: [], deny: [] };

/**
 * Who a client is, and what it may do: named rights, such as `publish`, each with a permission. The
 * roles of this library check the rights that concern them, and know no others.
 *
 * @example
 * ```ts
 * import { Principal } from "@socktool/socktool/access";
 * import { assertEquals } from "@std/assert";
 *
 * const alice = new Principal("alice", {
 *   publish: { allow: ["orders.>"], deny: ["orders.secret.>"] },
 * });
 * assertEquals(alice.permission("publish").allow, ["orders.>"]);
 * assertEquals(alice.permission("subscribe").allow, []);
 * ```
 */
export class Principal {
  /** What it is called, in figures and messages. */
  readonly name: string;
  readonly #rights: ReadonlyMap<string, Permission>;

  /**
   * Gives a client its rights.
   *
   * @param rights By name. The patterns must be valid ones of their right.
   */
  constructor(name: string, rights: Readonly<Record<string, Permission>>) {
    this.name = name;
    this.#rights = new Map(Object.entries(rights));
  }

  /** What it is permitted by a right; nothing if it was not given the right. */
  permission(right: string): Permission {
    return this.#rights.get(right) ?? NOTHING;
  }
}
