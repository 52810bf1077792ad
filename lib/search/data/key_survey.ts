/**
 * Finds out which fields of a file's records may be their keys: those whose values are all different.
 *
 * @module
 */
import { type Fields, textOf } from "./field_values.ts";

/** Names of fields that may be keys, in this order. Case does not matter. */
export const KEY_NAMES: readonly string[] = [
  "key",
  "id",
  "_id",
  "slug",
  "uuid",
  "url",
  "path",
  "name",
  "title",
  "word",
];
/** These are keys even in a file of one record, where the values cannot be compared with others. */
const STRONG = new Set(KEY_NAMES.slice(0, 5));
const RANK = new Map(KEY_NAMES.map((name, i) => [name, i]));

/** The most values of a field that are compared; 8 bytes each. */
const MAX_VALUES = 4 * 1024 * 1024;

/** Takes all records of a file, and then knows which fields may be keys. */
export class KeySurvey {
  readonly #columns = new Map<string, Column>();
  #records = 0;

  /** Takes one record. */
  add(fields: Fields): void {
    this.#records++;
    for (const own in fields) {
      const name = lower(own);
      if (!RANK.has(name)) continue;
      const value = textOf(fields[own]);
      if (value === undefined || value === "") continue;
      let column = this.#columns.get(name);
      if (column === undefined) this.#columns.set(name, column = new Column());
      column.add(value);
    }
  }

  /** The names of fields that may be keys, in lower case, the best first. */
  names(): string[] {
    return [...this.#columns].filter(([name, column]) =>
      (this.#records > 1 || STRONG.has(name)) && column.isUnique()
    ).map(([name]) => name).sort((a, b) => RANK.get(a)! - RANK.get(b)!);
  }
}

/** The values of one field, as hashes of 53 bits. */
class Column {
  #hashes = new Float64Array(64);
  #count = 0;
  #isUnique = true;

  add(value: string): void {
    if (!this.#isUnique || this.#count === MAX_VALUES) return;
    if (this.#count === this.#hashes.length) {
      if (!this.isUnique()) return;
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count++] = hashOf(value);
  }

  isUnique(): boolean {
    if (!this.#isUnique) return false;
    const sorted = this.#hashes.subarray(0, this.#count).sort();
    for (let i = 1; i < sorted.length; i++) {
      if (sorted[i] !== sorted[i - 1]) continue;
      this.#isUnique = false;
      this.#hashes = new Float64Array(0);
      break;
    }
    return this.#isUnique;
  }
}

/** 53 bits of a text: two hashes of 32 bits by multiplication (cyrb53). */
function hashOf(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

const LOWER = new Map<string, string>();

/** A field's name in lower case. A file's records have the same names again and again. */
function lower(name: string): string {
  let known = LOWER.get(name);
  if (known === undefined) {
    if (LOWER.size > 1000) LOWER.clear();
    LOWER.set(name, known = name.trim().toLowerCase());
  }
  return known;
}
