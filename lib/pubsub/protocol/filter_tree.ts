import { isSystem, isWildcard } from "./topic.ts";
import { REST_TOKEN, STAR_TOKEN, tokensOf } from "./tokens.ts";

/** A token on the way to some filters. */
interface Node<T> {
  children: Map<string, Node<T>> | undefined;
  star: Node<T> | undefined;
  /** The value of the filter that ends here. */
  value: T | undefined;
  /** The value of the filter that goes on here with `>`. */
  rest: T | undefined;
}

/**
 * Values by filter, found by topic. Filters without a wildcard are one look into a map; those with
 * one stand in a tree by their tokens, of which a match visits only the branches that fit. So the
 * time of a match depends on what matches, not on how many filters there are.
 */
export class FilterTree<T> {
  readonly #literal = new Map<string, T>();
  readonly #root: Node<T> = emptyNode();
  #wildcards = 0;

  /** How many filters have a value. */
  get size(): number {
    return this.#literal.size + this.#wildcards;
  }

  /** The value of exactly this filter. */
  get(filter: string): T | undefined {
    if (!isWildcard(filter)) return this.#literal.get(filter);
    let node: Node<T> | undefined = this.#root;
    for (const token of tokensOf(filter)) {
      if (token === REST_TOKEN) return node.rest;
      node = token === STAR_TOKEN ? node.star : node.children?.get(token);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  /** Gives a filter, which must be valid, a value. */
  set(filter: string, value: T): void {
    if (!isWildcard(filter)) {
      this.#literal.set(filter, value);
      return;
    }
    let node = this.#root;
    for (const token of tokensOf(filter)) {
      if (token === REST_TOKEN) {
        if (node.rest === undefined) this.#wildcards++;
        node.rest = value;
        return;
      }
      node = step(node, token);
    }
    if (node.value === undefined) this.#wildcards++;
    node.value = value;
  }

  /** Forgets a filter, and the branches that only it needed. */
  delete(filter: string): void {
    if (!isWildcard(filter)) {
      this.#literal.delete(filter);
      return;
    }
    const tokens = tokensOf(filter);
    const path: Node<T>[] = [this.#root];
    const rest = tokens.at(-1) === REST_TOKEN;
    if (rest) tokens.pop();
    for (const token of tokens) {
      const node = path.at(-1)!;
      const next = token === STAR_TOKEN ? node.star : node.children?.get(token);
      if (next === undefined) return;
      path.push(next);
    }
    const last = path.at(-1)!;
    if ((rest ? last.rest : last.value) === undefined) return;
    this.#wildcards--;
    if (rest) last.rest = undefined;
    else last.value = undefined;
    for (let i = path.length - 1; i > 0 && isEmpty(path[i]!); i--) {
      const parent = path[i - 1]!;
      const token = tokens[i - 1]!;
      if (token === STAR_TOKEN) parent.star = undefined;
      else {
        parent.children!.delete(token);
        if (parent.children!.size === 0) parent.children = undefined;
      }
    }
  }

  /** The values of all filters, in no order. */
  *values(): Generator<T> {
    yield* this.#literal.values();
    yield* valuesBelow(this.#root);
  }

  /** Adds the values of all filters that match a topic to `found`. */
  match(topic: string, found: T[]): void {
    const literal = this.#literal.get(topic);
    if (literal !== undefined) found.push(literal);
    if (this.#wildcards === 0) return;
    const tokens = tokensOf(topic);
    if (isSystem(topic)) {
      const first = this.#root.children?.get(tokens[0]!);
      if (first) visit(first, tokens, 1, found);
    } else visit(this.#root, tokens, 0, found);
  }
}

/** Recursion is as deep as a topic has tokens, 32 at most. */
function visit<T>(node: Node<T>, tokens: readonly string[], at: number, found: T[]): void {
  if (at === tokens.length) {
    if (node.value !== undefined) found.push(node.value);
    return;
  }
  if (node.rest !== undefined) found.push(node.rest);
  const child = node.children?.get(tokens[at]!);
  if (child) visit(child, tokens, at + 1, found);
  if (node.star) visit(node.star, tokens, at + 1, found);
}

function* valuesBelow<T>(node: Node<T>): Generator<T> {
  if (node.value !== undefined) yield node.value;
  if (node.rest !== undefined) yield node.rest;
  if (node.star) yield* valuesBelow(node.star);
  for (const child of node.children?.values() ?? []) yield* valuesBelow(child);
}

function step<T>(node: Node<T>, token: string): Node<T> {
  if (token === STAR_TOKEN) return node.star ??= emptyNode();
  node.children ??= new Map();
  let child = node.children.get(token);
  if (child === undefined) {
    child = emptyNode();
    node.children.set(token, child);
  }
  return child;
}

function emptyNode<T>(): Node<T> {
  return { children: undefined, star: undefined, value: undefined, rest: undefined };
}

function isEmpty<T>(node: Node<T>): boolean {
  return node.value === undefined && node.rest === undefined && node.star === undefined &&
    node.children === undefined;
}
