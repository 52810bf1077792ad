/**
 * Converts text to the form that SQLite stores, and back. `node:sqlite` returns a TEXT value only up
 * to its first NUL, so a text with a NUL is stored as a BLOB. The same text always has the same
 * form, so keys can be compared.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A text in its stored form. */
export type Stored = string | Uint8Array;

/** The stored form of a text. Lone surrogates become U+FFFD: UTF-8 does not have them. */
export function toStored(text: string): Stored {
  return text.includes("\0") ? encoder.encode(text) : text.toWellFormed();
}

/** The text of a stored form. */
export function fromStored(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? decoder.decode(value) : "";
}
