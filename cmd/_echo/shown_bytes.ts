import { utf8Text } from "../_cli/utf8_text.ts";

/** The data for JSON: as text if it is UTF-8, else in base64. */
export function jsonBytes(bytes: Uint8Array): { text: string } | { base64: string } {
  const text = utf8Text(bytes);
  return text === undefined ? { base64: bytes.toBase64() } : { text };
}

/** At most this much of one piece of data is shown. */
const MAX_SHOWN_BYTES = 1_024;

/** The data for people: in quotes, with escapes. */
export function quotedBytes(bytes: Uint8Array): string {
  const text = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, MAX_SHOWN_BYTES)));
  return bytes.length <= MAX_SHOWN_BYTES ? text : `${text}… (${bytes.length} B)`;
}
