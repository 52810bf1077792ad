import { isSystem, isWildcard } from "../../protocol/topic.ts";
import { REST_TOKEN, STAR_TOKEN, tokensOf } from "../../protocol/tokens.ts";

/** What a retained frame costs beside its bytes. */
const FRAME_BYTES = 256;

/** A token of topics that have a retained frame. */
interface Node {
  readonly children: Map<string, Node>;
  frame: Uint8Array | undefined;
}

/**
 * The last frame of each topic that was published with `retain`. They stand in a tree by the
 * tokens of their topics, so that a filter visits only what it matches.
 */
export class Retained {
  readonly #maxBytes: number;
  readonly #root: Node = { children: new Map(), frame: undefined };
  #size = 0;
  #bytes = 0;

  /** @param maxBytes The most that all of them may take. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many topics have one. */
  get size(): number {
    return this.#size;
  }

  /** The bytes that they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Keeps a frame as the topic's last; the bytes are copied.
   *
   * @returns `false`, with the one before still there, if it does not fit.
   */
  set(topic: string, frame: Uint8Array): boolean {
    const before = this.#find(topic)?.frame;
    const freed = before === undefined ? 0 : before.length + FRAME_BYTES;
    const bytes = this.#bytes - freed + frame.length + FRAME_BYTES;
    if (bytes > this.#maxBytes) return false;
    let node = this.#root;
    for (const token of tokensOf(topic)) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = { children: new Map(), frame: undefined };
        node.children.set(token, child);
      }
      node = child;
    }
    node.frame = frame.slice();
    if (before === undefined) this.#size++;
    this.#bytes = bytes;
    return true;
  }

  /** Forgets the topic's frame. */
  clear(topic: string): void {
    const tokens = tokensOf(topic);
    const path = [this.#root];
    for (const token of tokens) {
      const node = path.at(-1)!.children.get(token);
      if (node === undefined) return;
      path.push(node);
    }
    const last = path.at(-1)!;
    if (last.frame === undefined) return;
    this.#bytes -= last.frame.length + FRAME_BYTES;
    this.#size--;
    last.frame = undefined;
    for (let i = path.length - 1; i > 0; i--) {
      if (path[i]!.frame !== undefined || path[i]!.children.size > 0) break;
      path[i - 1]!.children.delete(tokens[i - 1]!);
    }
  }

  /** The frames of all topics that a filter matches. They are not written to any more. */
  match(filter: string): Uint8Array[] {
    if (!isWildcard(filter)) {
      const frame = this.#find(filter)?.frame;
      return frame === undefined ? [] : [frame];
    }
    const found: Uint8Array[] = [];
    visit(this.#root, tokensOf(filter), 0, found);
    return found;
  }

  #find(topic: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const token of tokensOf(topic)) {
      node = node.children.get(token);
      if (node === undefined) return undefined;
    }
    return node;
  }
}

function visit(node: Node, tokens: readonly string[], at: number, found: Uint8Array[]): void {
  const token = tokens[at];
  if (token === undefined) {
    if (node.frame) found.push(node.frame);
    return;
  }
  if (token !== STAR_TOKEN && token !== REST_TOKEN) {
    const child = node.children.get(token);
    if (child) visit(child, tokens, at + 1, found);
    return;
  }
  for (const [name, child] of node.children) {
    if (at === 0 && isSystem(name.slice(1))) continue;
    if (token === STAR_TOKEN) visit(child, tokens, at + 1, found);
    else collect(child, found);
  }
}

function collect(node: Node, found: Uint8Array[]): void {
  if (node.frame) found.push(node.frame);
  for (const child of node.children.values()) collect(child, found);
}
