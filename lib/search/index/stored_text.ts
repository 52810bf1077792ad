/**
 * Text on its way into and out of SQLite. `node:sqlite` returns a TEXT value only up to its first
 * NUL, so a text that has one is stored as a BLOB, and a key always in the same of the two forms.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A value as `node:sqlite` takes it. */
export type Stored = string | Uint8Array;

/** The form in which a text is stored. Lone surrogates become U+FFFD, as UTF-8 cannot hold them. */
export function toStored(text: string): Stored {
  return text.includes("\0") ? encoder.encode(text) : text.toWellFormed();
}

/** The text that was stored. */
export function fromStored(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? decoder.decode(value) : "";
}
