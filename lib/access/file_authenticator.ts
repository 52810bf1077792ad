import { createHmac, randomBytes } from "node:crypto";
import type { AuthTable } from "./auth_file.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { hashPassword, hashToken, verifyPassword } from "./credential_hash.ts";
import type { Principal } from "./principal.ts";

/** Passwords checked at the same time. Each check takes 16 MiB, and a thread for about 50 ms. */
const MAX_AT_ONCE = 2;

/** The most correct passwords that are remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Authenticates clients by an authentication file. Correct passwords are remembered as keyed hashes,
 * in memory only: when a thousand clients reconnect after a network outage, their passwords are not
 * all checked at full cost again.
 */
export class FileAuthenticator implements Authenticator {
  readonly #table: AuthTable;
  readonly #key = randomBytes(32);
  readonly #remembered = new Set<string>();
  #standIn: string | undefined;
  #checking = 0;
  readonly #queue: (() => void)[] = [];

  /** Takes what {@linkcode parseAuthFile} read. */
  constructor(table: AuthTable) {
    this.#table = table;
  }

  /** Resolves to the principal of the credentials; `undefined` if they are wrong. Never rejects. */
  async authenticate({ token, user, password }: Credentials): Promise<Principal | undefined> {
    if (token !== undefined) return this.#table.tokens.get(hashToken(token));
    if (user === undefined || password === undefined) return undefined;
    const known = this.#table.users.get(user);
    const trace = createHmac("sha256", this.#key).update(JSON.stringify([user, password]))
      .digest("base64");
    if (known && this.#remembered.has(trace)) return known.principal;
    // An unknown name takes as long as a known one: response times do not tell which names exist.
    const hash = known?.hash ?? (this.#standIn ??= await hashPassword("nobody has this one"));
    const right = await this.#inTurn(() => verifyPassword(password, hash));
    if (!known || !right) return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(trace);
    return known.principal;
  }

  async #inTurn(check: () => Promise<boolean>): Promise<boolean> {
    if (this.#checking >= MAX_AT_ONCE) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#checking++;
    try {
      return await check();
    } catch {
      // No password matches a hash that the runtime cannot check.
      return false;
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#checking--;
    }
  }
}
