import { isPasswordHash, isTokenHash } from "./credential_hash.ts";
import { type Permission, Principal } from "./principal.ts";
import { filterProblem } from "../pubsub/protocol/topic.ts";

/** Who may connect, as an authentication file says it. */
export interface AuthTable {
  /** By name. */
  readonly users: ReadonlyMap<string, { readonly hash: string; readonly principal: Principal }>;
  /** By the hash of their token. */
  readonly tokens: ReadonlyMap<string, Principal>;
}

/** An authentication file that cannot be used. `code` is always `"bad-auth-file"`. */
export class AuthFileError extends Error {
  /** The name of the class. */
  override readonly name = "AuthFileError";
  /** The same for all of them. */
  readonly code = "bad-auth-file";
  /** Which part is wrong, e.g. `users[1].publish.allow[0]`; empty for the whole. */
  readonly field: string;

  /** Made by {@linkcode parseAuthFile}. */
  constructor(field: string, problem: string, options?: ErrorOptions) {
    const where = field === "" ? "" : ` in ${field}`;
    super(`Cannot use the authentication file:${where} ${problem}`, options);
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
 * Without `publish` or `subscribe` a client may do none of it. The hashes are made by
 * {@linkcode hashPassword} and {@linkcode hashToken}.
 *
 * @throws {AuthFileError} that names the field.
 */
export function parseAuthFile(text: string): AuthTable {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "";
    throw new AuthFileError("", `it is not JSON: ${detail}`, { cause });
  }
  const file = object(json, "", ["users", "tokens"]);
  const users = new Map<string, { hash: string; principal: Principal }>();
  const tokens = new Map<string, Principal>();
  list(file["users"], "users").forEach((entry, i) => {
    const at = `users[${i}]`;
    const user = object(entry, at, ["name", "password", "publish", "subscribe"]);
    const name = word(user["name"], `${at}.name`);
    if (users.has(name)) {
      throw new AuthFileError(`${at}.name`, `${JSON.stringify(name)} is twice there`);
    }
    const hash = word(user["password"], `${at}.password`);
    if (!isPasswordHash(hash)) {
      throw new AuthFileError(
        `${at}.password`,
        "there is no hash of a password (socktool broker --hash-password makes one)",
      );
    }
    users.set(name, { hash, principal: principalOf(name, user, at) });
  });
  list(file["tokens"], "tokens").forEach((entry, i) => {
    const at = `tokens[${i}]`;
    const token = object(entry, at, ["name", "token", "publish", "subscribe"]);
    const name = word(token["name"], `${at}.name`);
    const hash = word(token["token"], `${at}.token`);
    if (!isTokenHash(hash)) {
      throw new AuthFileError(
        `${at}.token`,
        "there is no hash of a token (socktool broker --hash-token makes one)",
      );
    }
    if (tokens.has(hash)) throw new AuthFileError(`${at}.token`, "the token is twice there");
    tokens.set(hash, principalOf(name, token, at));
  });
  if (users.size + tokens.size === 0) {
    throw new AuthFileError("", "there is nobody in users or tokens, so that nobody could connect");
  }
  return { users, tokens };
}

type JsonObject = Readonly<Record<string, unknown>>;

function principalOf(name: string, entry: JsonObject, at: string): Principal {
  return new Principal(
    name,
    permission(entry["publish"], `${at}.publish`),
    permission(entry["subscribe"], `${at}.subscribe`),
  );
}

function permission(value: unknown, at: string): Permission {
  if (value === undefined) return { allow: [], deny: [] };
  const { allow, deny } = object(value, at, ["allow", "deny"]);
  return { allow: filters(allow, `${at}.allow`), deny: filters(deny, `${at}.deny`) };
}

function filters(value: unknown, at: string): string[] {
  return list(value, at).map((filter, i) => {
    const problem = filterProblem(filter);
    if (problem === undefined) return filter as string;
    throw new AuthFileError(`${at}[${i}]`, `there is no filter: ${problem}`);
  });
}

function object(value: unknown, at: string, fields: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AuthFileError(at, "there must be an object");
  }
  // A misspelt "deny" must not open what was to be closed.
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    const field = at === "" ? unknown : `${at}.${unknown}`;
    throw new AuthFileError(field, `the field is not known (${fields.join(", ")} are)`);
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
