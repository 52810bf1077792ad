import { valueKind } from "../base/value_kind.ts";

/**
 * Checks what is to be decoded. An array of another realm, such as another frame of a page, is right
 * too.
 *
 * @throws {TypeError} if it is no `Uint8Array`.
 */
export function checkBytes(bytes: unknown): void {
  if (Object.prototype.toString.call(bytes) === "[object Uint8Array]") return;
  throw new TypeError(`Cannot decode ${valueKind(bytes)}: give a Uint8Array`);
}
