/**
 * Finds out how a text is encoded, by its first bytes.
 *
 * @module
 */

/** How a file is encoded, as far as its beginning tells. */
export interface Encoding {
  /** A label of `TextDecoder`. */
  readonly label: string;
  /**
   * - `said`: the file or the caller says so;
   * - `assumed`: it is UTF-8 unless its bytes prove otherwise;
   * - `guessed`: it looks so.
   */
  readonly certainty: "said" | "assumed" | "guessed";
}

/** This much of a file's beginning is looked at. */
const SNIFF_BYTES = 8192;
/** HTML must name its encoding within 1024 bytes; pages that do later are read by browsers too. */
const DECLARED_WITHIN = 4096;
/** In text, the share of control characters is below this. */
const MAX_CONTROLS = 0.02;
/** In UTF-16 of Latin script, the share of zeros at odd (or even) places is above this. */
const MIN_ZEROS = 0.3;

/** Whether a label is one of an encoding that can be read. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

/**
 * How a file is encoded.
 *
 * @param start Its first bytes.
 * @param options `markup`: it is HTML or XML, which may name its encoding; `label`: the encoding
 * that the caller names for files that do not say theirs.
 * @returns `undefined` if it is no text.
 */
export function encodingOf(
  start: Uint8Array,
  options: { readonly markup: boolean; readonly label: string | undefined },
): Encoding | undefined {
  const mark = markOf(start);
  if (mark !== undefined) return { label: mark, certainty: "said" };
  const sniffed = start.subarray(0, SNIFF_BYTES);
  if (sniffed.includes(0)) {
    const wide = wideEncodingOf(sniffed);
    return wide === undefined ? undefined : { label: wide, certainty: "guessed" };
  }
  const declared = options.markup ? declaredIn(start) : undefined;
  const label = declared ?? options.label;
  if (label === undefined || label === "utf-8") return { label: "utf-8", certainty: "assumed" };
  return { label, certainty: "said" };
}

/** Whether bytes that are no UTF-8 look like text in an encoding of one byte a character. */
export function looksLikeText(start: Uint8Array): boolean {
  const sniffed = start.subarray(0, SNIFF_BYTES);
  let controls = 0;
  for (const byte of sniffed) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c) controls++;
  }
  return controls <= sniffed.length * MAX_CONTROLS;
}

/** The encoding that a byte order mark tells. */
function markOf(start: Uint8Array): string | undefined {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return "utf-8";
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  return undefined;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0e-\x1f\ufffd]/;

/**
 * UTF-16 without a mark: in Latin script nearly all bytes at odd places, or nearly all at even
 * ones, are 0.
 */
function wideEncodingOf(start: Uint8Array): string | undefined {
  const zeros = [0, 0];
  for (const [i, byte] of start.entries()) if (byte === 0) zeros[i % 2]!++;
  const many = start.length / 2 * MIN_ZEROS;
  const label = zeros[1]! >= many ? "utf-16le" : zeros[0]! >= many ? "utf-16be" : undefined;
  if (label === undefined || Math.min(...zeros) > 0) return undefined;
  const text = new TextDecoder(label).decode(start.subarray(0, start.length & ~1));
  return CONTROL.test(text) ? undefined : label;
}

const DECLARATIONS = [
  /^\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']\s*([\w:.-]+)/i,
  /<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w:.-]+)/i,
];

/** The encoding that HTML or XML names, if it is known. */
function declaredIn(start: Uint8Array): string | undefined {
  const text = new TextDecoder("windows-1252").decode(start.subarray(0, DECLARED_WITHIN));
  for (const pattern of DECLARATIONS) {
    const label = pattern.exec(text)?.[1];
    if (label === undefined || !isEncoding(label)) continue;
    const { encoding } = new TextDecoder(label);
    // What could be read as ASCII so far is not UTF-16; HTML's own rule is to take it for UTF-8.
    return encoding.startsWith("utf-16") ? "utf-8" : encoding;
  }
  return undefined;
}
