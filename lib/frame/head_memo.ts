import type { EncodedHead } from "./encoded_head.ts";
/** The fields of a header. */
type Fields = Readonly<Record<string, unknown>>;

/** After a header that was not known, this many are not remembered: they may all differ. */
const PAUSE = 16;

/** The most fields of a header that is remembered. */
const MAX_FIELDS = 16;

/** Remembers the head of the last header, for frames whose headers have equal fields. */
export class HeadMemo {
  #names: string[] = [];
  #values: unknown[] = [];
  #head: EncodedHead | undefined;
  #pause = 0;

  /** The head of a header with the same fields in the same order; `undefined` if it is not known. */
  find(fields: Fields): EncodedHead | undefined {
    if (this.#head === undefined || !isObject(fields)) return undefined;
    const names = this.#names;
    const values = this.#values;
    let count = 0;
    for (const name in fields) {
      if (name !== names[count] || fields[name] !== values[count]) return undefined;
      if (!Object.hasOwn(fields, name)) return undefined;
      count++;
    }
    return count === names.length ? this.#head : undefined;
  }

  /**
   * Remembers a header, unless another was remembered a short while ago.
   *
   * @param make Encodes its head. It may throw; nothing is remembered then.
   */
  learn(fields: Fields, make: () => EncodedHead): void {
    if (this.#pause-- > 0) return;
    this.#pause = PAUSE;
    const names = Object.keys(fields);
    const values = names.map((name) => fields[name]);
    // An object may be changed before it comes again. A size that is given has to be checked.
    const isPlain = names.length <= MAX_FIELDS && fields["content-length"] === undefined &&
      values.every((value) => typeof value !== "object" && typeof value !== "function");
    if (!isPlain) return;
    this.#head = make();
    this.#names = names;
    this.#values = values;
  }
}

/** What is no object has no fields either, and is refused elsewhere. */
function isObject(fields: unknown): boolean {
  return typeof fields === "object" && fields !== null && !Array.isArray(fields);
}
