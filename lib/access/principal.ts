import { checkGiven } from "../base/option_kinds.ts";

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
 * The rights of a principal do not change. When those of its clients do, another principal takes its
 * place: servers look for it at each request, and once a second for clients that are quiet.
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
  #current: Principal | undefined = this;

  /**
   * Gives a client its rights.
   *
   * @param rights By name; they are copied. The patterns must be valid ones of their right.
   * @throws {TypeError} if the name is no text, or a right has no lists of texts.
   */
  constructor(name: string, rights: Readonly<Record<string, Permission>>) {
    checkGiven("name", name, "text");
    checkGiven("rights", rights, "object");
    this.name = name;
    this.#rights = new Map(
      Object.entries(rights).map(([right, permission]) => {
        checkGiven(right, permission, "object");
        const { allow = [], deny = [] } = permission;
        checkGiven(`${right}.allow`, allow, "texts");
        checkGiven(`${right}.deny`, deny, "texts");
        return [right, { allow: [...allow], deny: [...deny] }];
      }),
    );
  }

  /** What it is permitted by a right; nothing if it was not given the right. */
  permission(right: string): Permission {
    return this.#rights.get(right) ?? NOTHING;
  }

  /**
   * Who its clients are at this moment: itself, or who took its place; `undefined` if they may not
   * be served any more.
   */
  get current(): Principal | undefined {
    let current = this.#current;
    while (current && current.#current !== current) current = current.#current;
    return this.#current = current;
  }

  /**
   * Gives its clients the rights of another one; `undefined` takes all rights from them. It can be
   * done once: after that, replace the one that took its place.
   *
   * @example
   * ```ts
   * import { Principal } from "@socktool/socktool/access";
   * import { assertEquals } from "@std/assert";
   *
   * const alice = new Principal("alice", { publish: { allow: ["orders.>"], deny: [] } });
   * const restricted = new Principal("alice", {});
   * alice.replaceBy(restricted);
   * assertEquals(alice.current, restricted);
   * restricted.replaceBy(undefined);
   * assertEquals(alice.current, undefined);
   * ```
   *
   * @throws {TypeError} if it, or the other one, was replaced before.
   */
  replaceBy(successor: Principal | undefined): void {
    if (this.#current !== this || (successor && successor.#current !== successor)) {
      throw new TypeError(`Cannot replace the principal ${this.name}: one was replaced before`);
    }
    this.#current = successor;
  }

  /** Whether another one has the same name and the same rights. */
  equals(other: Principal): boolean {
    const rightsOf = (principal: Principal) => JSON.stringify([...principal.#rights].sort());
    return this.name === other.name && rightsOf(this) === rightsOf(other);
  }
}
