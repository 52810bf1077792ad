import { type Node, tokenEnd, type TokenTree, valuesBelow } from "./token_tree.ts";

/**
 * The values of all topics in a tree that a filter matches, in no order, as a walk that may be
 * interrupted. It stands apart from the tree because the client for browsers, which has one, does not
 * need this.
 */
export function topicsBelow<T>(tree: TokenTree<T>, filter: string): Generator<T> {
  return walk(tree.root, `.${filter}`, 0);
}

/** The values below a node whose topics match `filter[at, …)`. */
function* walk<T>(node: Node<T>, filter: string, at: number): Generator<T> {
  if (at === filter.length) {
    if (node.value !== undefined) yield node.value;
    return;
  }
  const { children } = node;
  if (children === undefined) return;
  const token = filter.slice(at, tokenEnd(filter, at));
  if (token !== ".*" && token !== ".>") {
    const child = children.get(token);
    if (child) yield* enter(child, filter, at);
    return;
  }
  for (const [first, child] of children) {
    // What begins with _ is reached only by filters that say so.
    if (at > 0 || !first.startsWith("._")) yield* enter(child, filter, at);
  }
}

/** Goes on behind a node's label, if that matches `filter[at, …)`. */
function* enter<T>(node: Node<T>, filter: string, at: number): Generator<T> {
  const { label } = node;
  let next = at;
  for (let i = 0; i < label.length;) {
    if (next === filter.length) return;
    const filterEnd = tokenEnd(filter, next);
    const token = filter.slice(next, filterEnd);
    if (token === ".>") return yield* valuesBelow(node);
    const end = tokenEnd(label, i);
    if (token !== ".*" && token !== label.slice(i, end)) return;
    i = end;
    next = filterEnd;
  }
  yield* walk(node, filter, next);
}
