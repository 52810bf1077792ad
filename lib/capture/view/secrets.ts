import { checkGiven } from "../../base/option_kinds.ts";

/** Names of fields whose values are credentials, in a `hello`. */
const SECRET_FIELDS: readonly string[] = ["token", "password"];

/** What stands in the place of a credential. */
export const BLANKED = "***";

/** A copy of a header, or of a parsed content, without credentials; itself where it has none. */
export function withoutSecrets<T extends Readonly<Record<string, unknown>>>(fields: T): T {
  if (!SECRET_FIELDS.some((name) => Object.hasOwn(fields, name))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      SECRET_FIELDS.includes(name) ? BLANKED : value,
    ]),
  ) as T;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const STAR = 0x2a;

/** A colon, a comma, a brace or a bracket that closes. */
const FOLLOW_A_TEXT: readonly number[] = [COLON, 0x2c, 0x7d, 0x5d];

/** Longer names than this are none of those. Every character may be written as `\u006f`. */
const MAX_NAME_BYTES = 8 * 6;

type State = "outside" | "text" | "after-text" | "before-value" | "secret" | "value";

/**
 * Overwrites credentials in bytes that pass in pieces: every character of a JSON text that follows
 * the name `token` or `password`, or all up to the next comma or brace where the value is no text.
 * It knows nothing of frames, so it works on broken ones too, and may blank more than a `hello`'s.
 *
 * A quote that is none, such as a byte of a length, misleads it up to the next text: what follows a
 * text in JSON is white space, a comma, a colon or a bracket; before anything else, a text begins.
 * Zeros are passed over, so that it reads names in UTF-16 too.
 */
export class SecretFilter {
  #state: State = "outside";
  #escaped = false;
  /** The bytes of the JSON text that may be a name. */
  #name: number[] = [];
  #isSecret = false;

  /** Filters the next bytes. @returns a copy. @throws {TypeError} if they are no `Uint8Array`. */
  filter(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    checkGiven("bytes", bytes, "bytes");
    const filtered = new Uint8Array(bytes);
    for (let at = 0; at < filtered.length; at++) {
      if (this.#take(filtered[at]!)) filtered[at] = STAR;
    }
    return filtered;
  }

  /** Takes a byte. @returns whether it is to be blanked. */
  #take(byte: number): boolean {
    if (byte === 0) return false;
    switch (this.#state) {
      case "outside":
        if (byte === QUOTE) this.#begin();
        return false;
      case "text":
        if (byte === QUOTE && !this.#escaped) {
          this.#isSecret = isSecretName(this.#name);
          this.#state = "after-text";
        } else if (this.#name.length <= MAX_NAME_BYTES) this.#name.push(byte);
        this.#escaped = byte === BACKSLASH && !this.#escaped;
        return false;
      case "after-text":
        if (isSpace(byte)) return false;
        if (byte === QUOTE) this.#begin();
        else if (FOLLOW_A_TEXT.includes(byte)) {
          this.#state = byte === COLON && this.#isSecret ? "before-value" : "outside";
        } else {
          this.#begin();
          this.#name.push(byte);
          this.#escaped = byte === BACKSLASH;
        }
        return false;
      case "before-value":
        if (isSpace(byte)) return false;
        this.#escaped = false;
        this.#state = byte === QUOTE ? "secret" : "value";
        return byte !== QUOTE;
      case "secret":
        if (byte === QUOTE && !this.#escaped) {
          this.#state = "outside";
          return false;
        }
        this.#escaped = byte === BACKSLASH && !this.#escaped;
        return true;
      case "value":
        if (byte !== 0x2c && byte !== 0x7d && byte !== 0x5d) return true;
        this.#state = "outside";
        return false;
    }
  }

  #begin(): void {
    this.#state = "text";
    this.#name = [];
    this.#escaped = false;
  }
}

function isSecretName(name: readonly number[]): boolean {
  if (name.length > MAX_NAME_BYTES) return false;
  try {
    const text = JSON.parse(`"${String.fromCharCode(...name)}"`);
    return SECRET_FIELDS.includes(text);
  } catch {
    return false;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
