import { type Node, tokenEnd, type TokenTree, valuesBelow } from "./token_tree.ts";

/** After looking at this many nodes, a walk may be interrupted. */
const NODES = 2;

/** Counts the nodes that a walk looks at. */
interface Looks {
  count: number;
}

/**
 * Walks over the values of all filters in a tree that have a topic in common with a filter, in no order;
 * in a tree of topics these are the topics that the filter matches. An `undefined` in between is a place
 * where the walk may be interrupted. It stands apart from the tree because the client for browsers has a
 * tree and does not need this.
 */
export function overlapping<T>(tree: TokenTree<T>, filter: string): Generator<T | undefined> {
  return walk(tree.root, `.${filter}`, 0, { count: 0 });
}

/** The values below a node whose filters have a topic in common with `filter[at, …)`. */
function* walk<T>(
  node: Node<T>,
  filter: string,
  at: number,
  looks: Looks,
): Generator<T | undefined> {
  if (at === filter.length) {
    if (node.value !== undefined) yield node.value;
    return;
  }
  const { children } = node;
  if (children === undefined) return;
  const token = filter.slice(at, tokenEnd(filter, at));
  // What begins with _ is reached only by filters that say so.
  const isSystem = at === 0 && token.startsWith("._");
  if (token === ".*" || token === ".>") {
    for (const [first, child] of children) {
      if (at > 0 || !first.startsWith("._")) yield* enter(child, filter, at, looks);
    }
    return;
  }
  for (const first of isSystem ? [token] : [token, ".*", ".>"]) {
    const child = children.get(first);
    if (child) yield* enter(child, filter, at, looks);
  }
}

/** Goes on behind a node's label, if that fits `filter[at, …)`. */
function* enter<T>(
  node: Node<T>,
  filter: string,
  at: number,
  looks: Looks,
): Generator<T | undefined> {
  if (++looks.count % NODES === 0) yield undefined;
  const { label } = node;
  let next = at;
  for (let i = 0; i < label.length;) {
    if (next === filter.length) return;
    const filterEnd = tokenEnd(filter, next);
    const end = tokenEnd(label, i);
    const [token, own] = [filter.slice(next, filterEnd), label.slice(i, end)];
    if (token === ".>" || own === ".>") return yield* valuesBelow(node);
    if (token !== ".*" && own !== ".*" && token !== own) return;
    i = end;
    next = filterEnd;
  }
  yield* walk(node, filter, next, looks);
}
