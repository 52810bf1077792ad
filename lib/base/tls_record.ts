/** What is said where a peer speaks TLS and nobody expected it. */
export const SPEAKS_TLS = "The peer speaks TLS, and this side does not";

/** The types of a record of TLS, from `change_cipher_spec` to `application_data`. */
const FIRST_TYPE = 0x14;
const LAST_TYPE = 0x17;

/**
 * Whether bytes begin as a record of TLS does: with a type, 3, and the minor version. No frame does,
 * as its header would have to begin with a control character.
 */
export function startsTlsRecord(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  if (end - start < 3) return false;
  const type = bytes[start]!;
  return type >= FIRST_TYPE && type <= LAST_TYPE && bytes[start + 1] === 3 &&
    bytes[start + 2]! <= 4;
}
