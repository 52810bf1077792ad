import { TokenTree } from "./token_tree.ts";
import { isWildcard } from "./topic.ts";

/** What a filter without a wildcard costs beside its text; measured on V8's heap. */
const LITERAL_BYTES = 64;

/**
 * Values by filter, found by topic. Filters without a wildcard are one look into a map; those with
 * one stand in a tree by their tokens, of which a match visits only the branches that fit. So the
 * time of a match depends on what matches, not on how many filters there are.
 */
export class FilterTree<T> {
  readonly #literal = new Map<string, T>();
  readonly #wildcards = new TokenTree<T>();
  #literalBytes = 0;

  /** How many filters have a value. */
  get size(): number {
    return this.#literal.size + this.#wildcards.size;
  }

  /** About how many bytes the filters take, without their values. */
  get bytes(): number {
    return this.#literalBytes + this.#wildcards.bytes;
  }

  /** The value of exactly this filter. */
  get(filter: string): T | undefined {
    return isWildcard(filter) ? this.#wildcards.get(filter) : this.#literal.get(filter);
  }

  /** Gives a filter, which must be valid, a value. */
  set(filter: string, value: T): void {
    if (isWildcard(filter)) return this.#wildcards.set(filter, value);
    if (!this.#literal.has(filter)) this.#literalBytes += LITERAL_BYTES + filter.length;
    this.#literal.set(filter, value);
  }

  /** Forgets a filter. */
  delete(filter: string): void {
    if (isWildcard(filter)) this.#wildcards.delete(filter);
    else if (this.#literal.delete(filter)) this.#literalBytes -= LITERAL_BYTES + filter.length;
  }

  /** The values of all filters, in no order. */
  *values(): Generator<T> {
    yield* this.#literal.values();
    yield* this.#wildcards.values();
  }

  /**
   * Adds the values of all filters that match a topic to `found`.
   *
   * @param maxNodes Gives up when this many nodes of the tree were looked at.
   * @returns How many were; if it gave up, more than `maxNodes`.
   */
  match(topic: string, found: T[], maxNodes = Infinity): number {
    const literal = this.#literal.get(topic);
    if (literal !== undefined) found.push(literal);
    return this.#wildcards.size === 0 ? 0 : this.#wildcards.match(topic, found, maxNodes);
  }

  /** The same as a walk that changes may interrupt; gives `undefined` in between. */
  *matching(topic: string): Generator<T | undefined> {
    yield this.#literal.get(topic);
    yield* this.#wildcards.matching(topic);
  }
}
