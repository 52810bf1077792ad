import { nodeCrypto } from "./node_crypto.ts";

/** The parameters of the hashes made here: a check takes 16 MiB of memory and about 50 ms. */
const COST = 16_384;
const BLOCK = 8;
const PARALLEL = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** The most memory that a check may take; a hash that needs more is refused. */
const MAX_COST_BYTES = 268_435_456;

const PASSWORD =
  /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([A-Za-z0-9+/=]{8,200}):([A-Za-z0-9+/=]{20,200})$/;
const TOKEN = /^sha256:([0-9a-f]{64})$/;

/**
 * Makes the hash of a password, for an authentication file: scrypt with a salt, as
 * `scrypt:COST:BLOCK:PARALLEL:SALT:KEY`.
 *
 * Source: RFC 7914.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = random(SALT_BYTES);
  const key = await derive(password, salt, COST, BLOCK, PARALLEL, KEY_BYTES);
  const parameters = [COST, BLOCK, PARALLEL].join(":");
  return `scrypt:${parameters}:${salt.toBase64()}:${key.toBase64()}`;
}

/**
 * Makes the hash of a token, for an authentication file. A token must be random and have 128 bits
 * or more: then it cannot be guessed, and a fast hash protects it as well as a slow one.
 */
export function hashToken(token: string): string {
  return `sha256:${nodeCrypto().createHash("sha256").update(token).digest("hex")}`;
}

/**
 * A hash that no password matches, and that takes as long to check as the one that is given; without
 * one, as one that {@linkcode hashPassword} makes.
 */
export function unmatchedHash(model?: string): string {
  const [, cost = COST, block = BLOCK, parallel = PARALLEL, , key] = PASSWORD.exec(model ?? "") ??
    [];
  const keyBytes = key === undefined ? KEY_BYTES : Uint8Array.fromBase64(key).length;
  const [salt, unmatched] = [random(SALT_BYTES), random(keyBytes)];
  return `scrypt:${cost}:${block}:${parallel}:${salt.toBase64()}:${unmatched.toBase64()}`;
}

/** Whether a text is the hash of a password, with a cost that can be paid here. */
export function isPasswordHash(hash: string): boolean {
  const [, cost, block, parallel, salt, key] = PASSWORD.exec(hash) ?? [];
  if (cost === undefined || !isBase64(salt!) || !isBase64(key!)) return false;
  const n = Number(cost);
  const powerOfTwo = n >= 2 && (n & (n - 1)) === 0;
  const memory = 128 * n * Number(block);
  return powerOfTwo && Number(parallel) >= 1 && memory > 0 && memory <= MAX_COST_BYTES;
}

/** Whether a text is a hash of a token. */
export function isTokenHash(hash: string): boolean {
  return TOKEN.test(hash);
}

/** Whether the hash, which must be a valid one, was made of this password. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, cost, block, parallel, salt, key] = PASSWORD.exec(hash)!;
  const expected = Uint8Array.fromBase64(key!);
  const actual = await derive(
    password,
    Uint8Array.fromBase64(salt!),
    Number(cost),
    Number(block),
    Number(parallel),
    expected.length,
  );
  return nodeCrypto().timingSafeEqual(actual, expected);
}

function derive(
  password: string,
  salt: Uint8Array,
  cost: number,
  block: number,
  parallel: number,
  bytes: number,
): Promise<Uint8Array> {
  const options = { N: cost, r: block, p: parallel, maxmem: MAX_COST_BYTES * 2 };
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Uint8Array) => error ? reject(error) : resolve(key);
    nodeCrypto().scrypt(password, salt, bytes, options, done);
  });
}

function random(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** Whether it is base64; padding may be missing. */
function isBase64(text: string): boolean {
  try {
    Uint8Array.fromBase64(text);
    return true;
  } catch {
    return false;
  }
}
