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
/** Fewer bytes of UTF-16 say nothing, unless nearly every second one is 0, as in Latin script. */
const MIN_WIDE_BYTES = 32;
const MIN_ZEROS = 0.3;
/** In text, this share of the characters is of the scripts that people write in. */
const MIN_COMMON = 0.98;

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
    if (options.label?.startsWith("utf-16")) return { label: options.label, certainty: "said" };
    const wide = wideEncodingOf(sniffed);
    return wide === undefined ? undefined : { label: wide, certainty: "guessed" };
  }
  const declared = options.markup ? declaredIn(start) : undefined;
  const label = declared ?? options.label;
  if (label === undefined && hasEscapes(sniffed)) {
    return { label: "iso-2022-jp", certainty: "guessed" };
  }
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

/** ISO-2022-JP is ASCII with escapes before and after what is Japanese. */
function hasEscapes(start: Uint8Array): boolean {
  const [escape, dollar] = [0x1b, 0x24];
  for (let at = start.indexOf(escape); at >= 0; at = start.indexOf(escape, at + 1)) {
    if (start[at + 1] === dollar && (start[at + 2] === 0x40 || start[at + 2] === 0x42)) return true;
  }
  return false;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0e-\x1f\ufffd]/;
/** Half of all pairs of bytes are something else. */
const COMMON =
  /[\t-\r -~\u00a0-\u06ff\u0900-\u0eff\u10a0-\u11ff\u1e00-\u27ff\u3000-\u33ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef]|\p{So}|[\u{20000}-\u{2ffff}]/gu;

/** UTF-16 without a mark: it is text if it is read so, and not if its bytes are swapped. */
function wideEncodingOf(start: Uint8Array): string | undefined {
  const labels = ["utf-16le", "utf-16be"].filter((label) => isWide(start, label));
  // Characters of a text have few different high bytes, and many different low ones.
  return labels.sort((a, b) => highBytes(start, a).size - highBytes(start, b).size)[0];
}

function isWide(start: Uint8Array, label: string): boolean {
  const high = label === "utf-16le" ? 1 : 0;
  const zeros = start.reduce((n, byte, i) => byte === 0 && i % 2 === high ? n + 1 : n, 0);
  // Any text has a space, a line break or a digit.
  if (zeros === 0) return false;
  if (start.length < MIN_WIDE_BYTES && zeros < start.length / 2 * MIN_ZEROS) return false;
  const text = new TextDecoder(label).decode(start.subarray(0, start.length & ~1), {
    stream: true,
  });
  if (CONTROL.test(text)) return false;
  const common = text.match(COMMON)?.reduce((n, { length }) => n + length, 0) ?? 0;
  return common >= text.length * MIN_COMMON;
}

function highBytes(start: Uint8Array, label: string): Set<number> {
  const high = label === "utf-16le" ? 1 : 0;
  return new Set(start.filter((_, i) => i % 2 === high));
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
