import { MAX_TOKENS } from "../../protocol/topic.ts";

/** How many words, or places of a list, are looked at in the time of a node of a tree. */
const LOOKS_PER_NODE = 100;

/** Filters as bits: the bit of a filter is that of its slot. */
type Bits = Uint32Array;

/**
 * Filters with the names of the streams that they are of. However many there are and whatever they
 * are, one look takes at most about a millisecond for 16,000: for each token of what is looked for
 * the filters that remain are found 32 at a time. In a tree, `a` and `*` in each of 14 tokens have
 * 16,000 nodes looked at for one topic.
 */
export class FilterTable {
  /** The slots of filters. */
  readonly #slots = new Map<string, number>();
  readonly #filters: (string | undefined)[] = [];
  readonly #names: (string | undefined)[] = [];
  readonly #free: number[] = [];
  /** By a number of tokens: the filters that match topics with that many. */
  #ofLength: Bits[] = noBits(0);
  /** Those that match any token at this place: by `*`, or by a `>` there or before. */
  #wild: Bits[] = noBits(0);
  /** Those whose first token begins with `_`. */
  #system: Bits = new Uint32Array(0);
  /** The slots of those with this token at this place. */
  readonly #literal = Array.from({ length: MAX_TOKENS }, () => new Map<string, number[]>());

  /** Gives a filter a name. */
  set(filter: string, name: string): void {
    const known = this.#slots.get(filter);
    if (known !== undefined) return void (this.#names[known] = name);
    const slot = this.#free.pop() ?? this.#filters.length;
    this.#filters[slot] = filter;
    this.#names[slot] = name;
    this.#slots.set(filter, slot);
    if (slot >= 32 * this.#system.length) this.#grow();
    this.#change(filter, slot, true);
  }

  /** Forgets a filter. */
  delete(filter: string): void {
    const slot = this.#slots.get(filter);
    if (slot === undefined) return;
    this.#slots.delete(filter);
    this.#filters[slot] = this.#names[slot] = undefined;
    this.#free.push(slot);
    this.#change(filter, slot, false);
  }

  /**
   * The name of a filter that has a topic in common with this one, which may be a topic.
   *
   * @param except Any name but this one.
   * @param visited Is told how much was looked at, as nodes of a tree.
   */
  find(filter: string, except?: string, visited?: (nodes: number) => void): string | undefined {
    const tokens = filter.split(".");
    const isOpen = tokens.at(-1) === ">";
    if (isOpen) tokens.pop();
    const found = isOpen ? this.#longerThan(tokens.length) : this.#ofLength[tokens.length]!.slice();
    const first = tokens[0];
    const isSystem = first?.startsWith("_");
    // What begins with _ is reached only by filters that say so.
    if (first === undefined || first === "*") {
      for (let w = 0; w < found.length; w++) found[w]! &= ~this.#system[w]!;
    }
    let looks = found.length;
    for (const [at, token] of tokens.entries()) {
      if (token === "*") continue;
      const wild = at === 0 && isSystem ? undefined : this.#wild[at]!;
      const slots = this.#literal[at]!.get(token);
      looks += found.length + (slots?.length ?? 0);
      if (!keep(found, wild, slots)) break;
    }
    visited?.(Math.ceil(looks / LOOKS_PER_NODE));
    return this.#firstOf(found, except);
  }

  #firstOf(found: Bits, except: string | undefined): string | undefined {
    for (const [w, word] of found.entries()) {
      for (let bits = word; bits !== 0; bits &= bits - 1) {
        const name = this.#names[32 * w + 31 - Math.clz32(bits & -bits)];
        if (name !== except) return name;
      }
    }
    return undefined;
  }

  /** Those that match topics with more tokens than this. */
  #longerThan(length: number): Bits {
    const longer = new Uint32Array(this.#system.length);
    for (const bits of this.#ofLength.slice(length + 1)) {
      for (let w = 0; w < bits.length; w++) longer[w]! |= bits[w]!;
    }
    return longer;
  }

  /** Notes what a filter matches, or that it is gone. */
  #change(filter: string, slot: number, isPresent: boolean): void {
    const tokens = filter.split(".");
    const isOpen = tokens.at(-1) === ">";
    if (isOpen) tokens.pop();
    const set = (bits: Bits) => setBit(bits, slot, isPresent);
    if (tokens[0]?.startsWith("_")) set(this.#system);
    for (let at = isOpen ? tokens.length + 1 : tokens.length; at <= MAX_TOKENS; at++) {
      set(this.#ofLength[at]!);
      if (!isOpen) break;
    }
    for (let at = 0; at < MAX_TOKENS; at++) {
      const token = tokens[at] ?? (isOpen ? "*" : undefined);
      if (token === undefined) break;
      if (token === "*") set(this.#wild[at]!);
      else changeList(this.#literal[at]!, token, slot, isPresent);
    }
  }

  #grow(): void {
    const words = Math.max(1, 2 * this.#system.length);
    const grown = (bits: Bits) => {
      const more = new Uint32Array(words);
      more.set(bits);
      return more;
    };
    this.#ofLength = this.#ofLength.map(grown);
    this.#wild = this.#wild.map(grown);
    this.#system = grown(this.#system);
  }
}

function noBits(words: number): Bits[] {
  return Array.from({ length: MAX_TOKENS + 1 }, () => new Uint32Array(words));
}

function setBit(bits: Bits, slot: number, isSet: boolean): void {
  if (isSet) bits[slot >>> 5]! |= 1 << (slot & 31);
  else bits[slot >>> 5]! &= ~(1 << (slot & 31));
}

function changeList(
  lists: Map<string, number[]>,
  token: string,
  slot: number,
  isPresent: boolean,
): void {
  const list = lists.get(token) ?? [];
  if (isPresent) list.push(slot);
  else {
    const last = list.pop()!;
    if (last !== slot) list[list.indexOf(slot)] = last;
  }
  if (list.length === 0) lists.delete(token);
  else lists.set(token, list);
}

/** Keeps of what was found what is in one of these; `false` if nothing remains. */
function keep(found: Bits, wild: Bits | undefined, slots: readonly number[] = []): boolean {
  let remaining = 0;
  const kept: number[] = [];
  for (const slot of slots) {
    if ((found[slot >>> 5]! >>> (slot & 31) & 1) === 1) kept.push(slot);
  }
  for (let w = 0; w < found.length; w++) remaining |= found[w]! &= wild?.[w] ?? 0;
  for (const slot of kept) setBit(found, slot, true);
  return remaining !== 0 || kept.length > 0;
}
