import { scryptSync } from "node:crypto";

/**
 * The hash of a password as an authentication file has it, of a sixteenth of the usual cost: for tests
 * that check many and of which the time of a check is no part.
 */
export function quickHash(password: string): string {
  const [cost, block, parallel] = [1_024, 8, 1];
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = new Uint8Array(scryptSync(password, salt, 32, { N: cost, r: block, p: parallel }));
  return `scrypt:${cost}:${block}:${parallel}:${salt.toBase64()}:${key.toBase64()}`;
}
