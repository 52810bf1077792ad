import { isPasswordHash, isTokenHash } from "./credential_hash.ts";
import { type Permission, Principal } from "./principal.ts";

/** Who may connect, as an authentication file says it. */
export interface AuthTable {
  /** By name. */
  readonly users: ReadonlyMap<string, { readonly hash: string; readonly principal: Principal }>;
  /** By the hash of their token. */
  readonly tokens: ReadonlyMap<string, Principal>;
}

/** Checks a text: returns what is wrong with it, as the end of a sentence, or `undefined`. */
export type TextCheck = (text: unknown) => string | undefined;

/**
 * A right that says by name what may be done with things: `{ "orders": ["read", "purge"] }`. The
 * principal gets a permission of the patterns `NAME:WORD`.
 */
export interface NamedRights {
  /** Checks a name. */
  readonly nameProblem: TextCheck;
  /** What may be done. */
  readonly words: readonly string[];
}

/**
 * The rights that an authentication file may give, by name. A right of patterns has a function that
 * checks one of them.
 */
export type RightsGrammar = Readonly<Record<string, TextCheck | NamedRights>>;

/** An authentication file that cannot be used. `code` is always `"bad-auth-file"`. */
export class AuthFileError extends Error {
  /** Always `"AuthFileError"`. */
  override readonly name = "AuthFileError";
  /** The same for all of them. */
  readonly code = "bad-auth-file";
  /** Which part is wrong, such as `users[1].publish.allow[0]`; empty for the whole file. */
  readonly field: string;

  /** Made by {@linkcode parseAuthFile}. @param at Where it is, if that is not the field itself. */
  constructor(field: string, problem: string, options?: ErrorOptions, at = field) {
    const where = at === "" ? "" : `${at}: `;
    super(`Cannot use the authentication file: ${where}${problem}`, options);
    this.field = field;
  }
}

/**
 * Reads an authentication file:
 *
 * ```json
 * {
 *   "users": [{
 *     "name": "alice",
 *     "password": "scrypt:…",
 *     "publish": { "allow": ["orders.>"], "deny": ["orders.secret.>"] },
 *     "subscribe": { "allow": [">"] }
 *   }],
 *   "tokens": [{ "name": "sensor", "token": "sha256:…", "publish": { "allow": ["temperature.*"] } }]
 * }
 * ```
 *
 * The fields besides `name`, `password` and `token` are rights. Whoever is not given a right may do
 * nothing that needs it. The hashes are made by {@linkcode hashPassword} and {@linkcode hashToken}.
 *
 * @example
 * ```ts
 * import { hashToken, parseAuthFile } from "@socktool/socktool/access";
 * import { PUBSUB_RIGHTS } from "@socktool/socktool/pubsub";
 * import { assertEquals } from "@std/assert";
 *
 * const token = hashToken("4f1b0d2c9a3e");
 * const file = { tokens: [{ name: "sensor", token, publish: { allow: ["temperature.*"] } }] };
 * const { tokens } = parseAuthFile(JSON.stringify(file), PUBSUB_RIGHTS);
 * assertEquals(tokens.get(token)?.name, "sensor");
 * ```
 *
 * @param rights The rights that the file may give. A file that serves several roles is read with
 * the rights of all of them, joined: `{ ...PUBSUB_RIGHTS, ...others }`. Any other field is refused,
 * so that a misspelt right is noticed.
 * @throws {AuthFileError} that names the field.
 */
export function parseAuthFile(text: string, rights: RightsGrammar): AuthTable {
  const file = object(parseJson(text), "", ["users", "tokens"]);
  const users = new Map<string, { hash: string; principal: Principal }>();
  const tokens = new Map<string, Principal>();
  list(file["users"], "users").forEach((entry, i) => {
    const at = `users[${i}]`;
    const { principal, secret: hash } = readEntry(entry, at, "password", rights);
    if (!isPasswordHash(hash)) {
      throw new AuthFileError(
        `${at}.password`,
        "there is no hash of a password (socktool broker --hash-password makes one)",
      );
    }
    if (users.has(principal.name)) {
      throw new AuthFileError(`${at}.name`, `${JSON.stringify(principal.name)} is twice there`);
    }
    users.set(principal.name, { hash, principal });
  });
  list(file["tokens"], "tokens").forEach((entry, i) => {
    const at = `tokens[${i}]`;
    const { principal, secret: hash } = readEntry(entry, at, "token", rights);
    if (!isTokenHash(hash)) {
      throw new AuthFileError(
        `${at}.token`,
        "there is no hash of a token (socktool broker --hash-token makes one)",
      );
    }
    if (tokens.has(hash)) throw new AuthFileError(`${at}.token`, "the token is twice there");
    tokens.set(hash, principal);
  });
  if (users.size + tokens.size === 0) {
    throw new AuthFileError("", "there is nobody in users or tokens, so that nobody could connect");
  }
  return { users, tokens };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseJson(text: string): unknown {
  try {
    // Some editors, and PowerShell, begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "";
    throw new AuthFileError("", `it is not JSON: ${detail}`, { cause });
  }
}

/** Reads a user or a token. @param field The one that holds the hash of its secret. */
function readEntry(
  value: unknown,
  at: string,
  field: string,
  rights: RightsGrammar,
): { principal: Principal; secret: string } {
  const entry = object(value, at, ["name", field, ...Object.keys(rights)]);
  const name = word(entry["name"], `${at}.name`);
  const permissions: Record<string, Permission> = {};
  for (const [right, problemOf] of Object.entries(rights)) {
    if (entry[right] === undefined) continue;
    const where = `${at}.${right}`;
    if (typeof problemOf !== "function") {
      permissions[right] = { allow: namedRights(entry[right], where, problemOf), deny: [] };
      continue;
    }
    const { allow, deny } = object(entry[right], where, ["allow", "deny"]);
    permissions[right] = {
      allow: patterns(allow, `${where}.allow`, problemOf),
      deny: patterns(deny, `${where}.deny`, problemOf),
    };
  }
  const secret = word(entry[field], `${at}.${field}`);
  return { principal: new Principal(name, permissions), secret };
}

function namedRights(value: unknown, at: string, { nameProblem, words }: NamedRights): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AuthFileError(at, "there must be an object");
  }
  return Object.entries(value).flatMap(([name, given]) => {
    const problem = nameProblem(name);
    if (problem !== undefined) {
      throw new AuthFileError(at, `the name ${JSON.stringify(name)} cannot be used: ${problem}`);
    }
    const where = `${at}.${name}`;
    return patterns(
      given,
      where,
      (word) => words.includes(word as string) ? undefined : `it is none of ${words.join(", ")}`,
    ).map((word) => `${name}:${word}`);
  });
}

function patterns(
  value: unknown,
  at: string,
  problemOf: TextCheck,
): string[] {
  return list(value, at).map((pattern, i) => {
    const problem = problemOf(pattern);
    if (problem === undefined) return pattern as string;
    throw new AuthFileError(`${at}[${i}]`, `${JSON.stringify(pattern)} cannot be used: ${problem}`);
  });
}

function object(value: unknown, at: string, fields: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AuthFileError(at, "there must be an object");
  }
  // A misspelt "deny" must not open what was to be closed.
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    const problem = `unknown field ${unknown} (known are ${fields.join(", ")})`;
    const field = at === "" ? unknown : `${at}.${unknown}`;
    throw new AuthFileError(field, problem, undefined, at);
  }
  return value as JsonObject;
}

function list(value: unknown, at: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new AuthFileError(at, "there must be a list");
  return value;
}

function word(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "") {
    throw new AuthFileError(at, "there must be a text");
  }
  return value;
}
