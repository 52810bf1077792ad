/** The data as JSON can hold it: text where it is UTF-8, base64 where it is not. */
export function jsonBytes(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { base64: bytes.toBase64() };
  }
}

/** More of one piece of data is not shown. */
const MAX_SHOWN_BYTES = 1_024;

/** The data in quotes, with escapes, as a message shows it. */
export function quotedBytes(bytes: Uint8Array): string {
  const text = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, MAX_SHOWN_BYTES)));
  return bytes.length <= MAX_SHOWN_BYTES ? text : `${text}… (${bytes.length} B)`;
}

/** Milliseconds as the seconds of a JSON field, to the microsecond. */
export function jsonSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1e6;
}
