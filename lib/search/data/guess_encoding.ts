/**
 * Guesses how a text is encoded whose bytes are no UTF-8 and that does not say it.
 *
 * @module
 */
import { concat } from "@std/bytes";

/** What a text is taken for where nothing speaks for another encoding. */
export const FALLBACK = "windows-1252";

/** What is guessed, by the names that the library knows, of what `TextDecoder` can read. */
const GUESSED = [
  ...["CP932", "SHIFT_JIS", "EUC-JP", "CP949", "EUC-KR", "GB18030", "Big5", "Big5HKSCS"],
  ...["Windows-1250", "Windows-1251", "Windows-1252", "Windows-1253", "Windows-1254"],
  ...["Windows-1255", "Windows-1256", "Windows-1257", "Windows-1258", "CP874"],
  ...["KOI8-R", "koi8-u", "IBM866", "ISO-8859-2", "ISO-8859-5", "ISO-8859-7"],
];
/** Names for which `TextDecoder` has others. */
const LABELS: Readonly<Record<string, string>> = {
  CP932: "shift_jis",
  CP949: "euc-kr",
  CP874: "windows-874",
  Big5HKSCS: "big5",
};

/** How much surer a guess must be than {@linkcode FALLBACK}: `café` is likelier French than Polish. */
const LEAD = 1.3;
/** Fewer bytes beyond ASCII say nothing. */
const FEWEST = 3;
/** In what is guessed right hardly any bytes are invalid. */
const MAX_INVALID = 0.01;

/** This much text that is not ASCII is enough to tell the encoding. */
const TELLING_BYTES = 16 * 1024;
const MAX_LINE = 4096;
const BEFORE = 256;

/**
 * The likeliest encoding of bytes that are no UTF-8, as a label of `TextDecoder`. The library has a
 * model of 1 MB, which is loaded with the first call: 0.1 s; a guess takes about 1 ms.
 */
export async function guessEncoding(bytes: Uint8Array): Promise<string> {
  const telling = tellingBytes(bytes);
  if (telling.filter((byte) => byte >= 0x80).length < FEWEST) return FALLBACK;
  const { detectAll } = await import("jschardet");
  const guesses = detectAll(telling, { detectEncodings: GUESSED, minimumThreshold: 0 });
  const best = guesses[0];
  const name = best?.encoding ?? "Windows-1252";
  const plain = guesses.find(({ encoding }) => encoding === "Windows-1252")?.confidence ?? 0;
  const label = LABELS[name] ?? name.toLowerCase();
  return (best?.confidence ?? 0) < LEAD * plain || !isValid(telling, label) ? FALLBACK : label;
}

/** The lines that are not ASCII, from the first on. */
function tellingBytes(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let done = 0; length < TELLING_BYTES;) {
    let at = done;
    while (at < bytes.length && bytes[at]! < 0x80) at++;
    if (at === bytes.length) break;
    const from = Math.max(done, at - BEFORE, bytes.lastIndexOf(0x0a, at) + 1);
    const end = bytes.indexOf(0x0a, at);
    done = Math.min(end < 0 ? bytes.length : end + 1, at + MAX_LINE);
    parts.push(bytes.subarray(from, done));
    length += done - from;
  }
  return concat(parts);
}

function isValid(bytes: Uint8Array, label: string): boolean {
  const text = new TextDecoder(label).decode(bytes);
  return text.split("\ufffd").length - 1 <= Math.max(1, text.length * MAX_INVALID);
}
