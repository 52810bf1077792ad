/** What a node costs beside its label, and what the map of its children does; on V8's heap. */
const NODE_BYTES = 120;
const CHILDREN_BYTES = 120;

/** One or more tokens that stand between two branchings, or before a value. */
export interface Node<T> {
  /** The tokens, each with a dot before it. Never changed: walks may stand in the middle of one. */
  readonly label: string;
  /** By the first token of their label, with its dot. */
  children: Map<string, Node<T>> | undefined;
  value: T | undefined;
}

/**
 * Values by topic or filter, in a tree of their tokens. It is path-compressed: tokens that lead to
 * one value alone share a node, so a value costs at most two nodes however many tokens lead to it.
 *
 * Tokens are compared with a dot before them. V8's maps become slow with hundreds of thousands of
 * keys that look like numbers, as the names of sensors do: 13 µs for a look in vain.
 *
 * A walk, as by {@linkcode TokenTree.matching}, may be continued after changes: it gives
 * every value that was there all the time, once, and may or may not give those that came or went.
 */
export class TokenTree<T> {
  /** Walks begin here. */
  readonly root: Node<T> = { label: "", children: undefined, value: undefined };
  #size = 0;
  #bytes = 0;

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  /** About how many bytes the tree takes, without the values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of exactly this topic or filter. */
  get(text: string): T | undefined {
    const dotted = `.${text}`;
    let node: Node<T> | undefined = this.root;
    for (let at = 0; at < dotted.length;) {
      node = node.children?.get(dotted.slice(at, tokenEnd(dotted, at)));
      if (node === undefined || !isPrefix(node.label, dotted, at)) return undefined;
      at += node.label.length;
    }
    return node.value;
  }

  /** Gives a topic or filter a value. */
  set(text: string, value: T): void {
    const dotted = `.${text}`;
    let node = this.root;
    for (let at = 0; at < dotted.length;) {
      const token = dotted.slice(at, tokenEnd(dotted, at));
      let child: Node<T> | undefined = node.children?.get(token);
      if (child === undefined) child = this.#attach(node, token, dotted.slice(at));
      else if (!isPrefix(child.label, dotted, at)) child = this.#split(node, token, dotted, at);
      node = child;
      at += child.label.length;
    }
    if (node.value === undefined) this.#size++;
    node.value = value;
  }

  /** Forgets the value of a topic or filter; returns it. */
  delete(text: string): T | undefined {
    const dotted = `.${text}`;
    const path = [this.root];
    for (let at = 0; at < dotted.length;) {
      const node = path.at(-1)!.children?.get(dotted.slice(at, tokenEnd(dotted, at)));
      if (node === undefined || !isPrefix(node.label, dotted, at)) return undefined;
      at += node.label.length;
      path.push(node);
    }
    const { value } = path.at(-1)!;
    if (value === undefined) return undefined;
    path.at(-1)!.value = undefined;
    this.#size--;
    this.#prune(path);
    return value;
  }

  /** All values, in no order. */
  values(): Generator<T> {
    return valuesBelow(this.root);
  }

  /**
   * Adds the values of all filters that match a topic to `found`. The keys are filters.
   *
   * @param maxNodes Gives up when this many nodes were looked at. With `a` and `*` in each of 16 tokens
   * 65,536 filters match one topic.
   * @returns How many nodes were looked at; if it gave up, more than `maxNodes`.
   */
  match(topic: string, found: T[], maxNodes = Infinity): number {
    const dotted = `.${topic}`;
    const work = { found, nodes: 0, maxNodes };
    // What begins with _ is reached only by filters that say so.
    if (topic.startsWith("_")) {
      const first = this.root.children?.get(dotted.slice(0, tokenEnd(dotted, 0)));
      if (first) follow(first, dotted, 0, work);
    } else visit(this.root, dotted, 0, work);
    return work.nodes;
  }

  /**
   * {@linkcode TokenTree.match} as a walk that may be interrupted.
   * Gives `undefined` for nodes without a value, so that the caller can pause there too.
   */
  matching(topic: string): Generator<T | undefined> {
    const dotted = `.${topic}`;
    if (!topic.startsWith("_")) return visiting(this.root, dotted, 0);
    const first = this.root.children?.get(dotted.slice(0, tokenEnd(dotted, 0)));
    return first ? following(first, dotted, 0) : nothing();
  }

  #attach(parent: Node<T>, token: string, label: string): Node<T> {
    const node: Node<T> = { label, children: undefined, value: undefined };
    if (parent.children === undefined) {
      parent.children = new Map();
      this.#bytes += CHILDREN_BYTES;
    }
    parent.children.set(token, node);
    this.#bytes += costOf(node);
    return node;
  }

  /** Puts a node where the label of a child and the text part; returns it. */
  #split(parent: Node<T>, token: string, dotted: string, at: number): Node<T> {
    const child = parent.children!.get(token)!;
    const shared = sharedLength(child.label, dotted, at);
    const label = child.label.slice(0, shared);
    const upper: Node<T> = { label, children: new Map(), value: undefined };
    const lower: Node<T> = { ...child, label: child.label.slice(shared) };
    upper.children!.set(lower.label.slice(0, tokenEnd(lower.label, 0)), lower);
    parent.children!.set(token, upper);
    this.#bytes += costOf(upper) + CHILDREN_BYTES + costOf(lower) - costOf(child);
    return upper;
  }

  /** Removes what the last node of a path does not need any more, up to the root. */
  #prune(path: Node<T>[]): void {
    const node = path.pop()!;
    const parent = path.at(-1);
    if (parent === undefined || node.value !== undefined) return;
    const token = node.label.slice(0, tokenEnd(node.label, 0));
    const [only, second] = node.children?.values() ?? [];
    if (only === undefined) {
      parent.children!.delete(token);
      this.#bytes -= costOf(node);
      if (parent.children!.size === 0) {
        parent.children = undefined;
        this.#bytes -= CHILDREN_BYTES;
      }
      this.#prune(path);
    } else if (second === undefined) {
      const joined: Node<T> = { ...only, label: node.label + only.label };
      parent.children!.set(token, joined);
      this.#bytes += costOf(joined) - costOf(node) - CHILDREN_BYTES - costOf(only);
    }
  }
}

function costOf({ label }: Node<unknown>): number {
  return NODE_BYTES + label.length;
}

/** Where the token that begins at a dot ends. */
export function tokenEnd(dotted: string, at: number): number {
  const next = dotted.indexOf(".", at + 1);
  return next < 0 ? dotted.length : next;
}

/** Whether the tokens of a label stand at this place. */
function isPrefix(label: string, dotted: string, at: number): boolean {
  const end = at + label.length;
  return dotted.startsWith(label, at) && (end === dotted.length || dotted[end] === ".");
}

/** The length of the tokens that a label and a text have in common; not all, and at least one. */
function sharedLength(label: string, dotted: string, at: number): number {
  for (let shared = 0;;) {
    const end = tokenEnd(label, shared);
    if (end === label.length || !isPrefix(label.slice(shared, end), dotted, at + shared)) {
      return shared;
    }
    shared = end;
  }
}

/** What a match has found, how many nodes it has looked at, and how many it may. */
interface Work<T> {
  readonly found: T[];
  nodes: number;
  readonly maxNodes: number;
}

/** Finds what matches from a node on, whose tokens are dealt with. As deep as a topic has tokens. */
function visit<T>(node: Node<T>, dotted: string, at: number, work: Work<T>): void {
  if (++work.nodes > work.maxNodes) return;
  if (at === dotted.length) {
    if (node.value !== undefined) work.found.push(node.value);
    return;
  }
  const { children } = node;
  if (children === undefined) return;
  const rest = children.get(".>");
  if (rest) follow(rest, dotted, at, work);
  const star = children.get(".*");
  if (star) follow(star, dotted, at, work);
  const same = children.get(dotted.slice(at, tokenEnd(dotted, at)));
  if (same) follow(same, dotted, at, work);
}

/** Goes on behind a node's label, if that matches here. */
function follow<T>(node: Node<T>, dotted: string, at: number, work: Work<T>): void {
  const end = matchedEnd(node.label, dotted, at);
  if (end >= 0) visit(node, dotted, end, work);
}

/** The same as {@linkcode visit}, as a generator: ten times as slow. */
function* visiting<T>(node: Node<T>, dotted: string, at: number): Generator<T | undefined> {
  if (at === dotted.length) return yield node.value;
  yield undefined;
  const { children } = node;
  for (const token of [".>", ".*", dotted.slice(at, tokenEnd(dotted, at))]) {
    const child = children?.get(token);
    if (child) yield* following(child, dotted, at);
  }
}

function* following<T>(node: Node<T>, dotted: string, at: number): Generator<T | undefined> {
  const end = matchedEnd(node.label, dotted, at);
  if (end >= 0) yield* visiting(node, dotted, end);
}

function* nothing(): Generator<never> {}

/**
 * Where the tokens of a topic that a filter's tokens match end: `topic[at, …)` against all of the
 * filter. -1 if they do not match.
 */
function matchedEnd(filter: string, topic: string, at: number): number {
  let end = at;
  for (let i = 0; i < filter.length;) {
    if (end === topic.length) return -1;
    const next = tokenEnd(filter, i);
    const topicNext = tokenEnd(topic, end);
    const wildcard = next - i === 2 ? filter[i + 1] : undefined;
    if (wildcard === ">") return topic.length;
    if (wildcard !== "*" && filter.slice(i, next) !== topic.slice(end, topicNext)) return -1;
    i = next;
    end = topicNext;
  }
  return end;
}

/** The values of a node and all below it. */
export function* valuesBelow<T>(node: Node<T>): Generator<T> {
  if (node.value !== undefined) yield node.value;
  for (const child of node.children?.values() ?? []) yield* valuesBelow(child);
}
