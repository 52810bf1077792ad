import { createHmac, randomBytes } from "node:crypto";
import type { AuthTable } from "./auth_file.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { hashPassword, hashToken, verifyPassword } from "./credential_hash.ts";
import type { Principal } from "./principal.ts";

/** Passwords that are checked at one time: each takes 16 MiB and a thread for some 50 ms. */
const MAX_AT_ONCE = 2;

/** Passwords that were right and are remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Finds out who clients are by an authentication file. A password that was right is remembered, as
 * a keyed hash, for as long as the process lives: when a thousand clients come back after a
 * restart of the network, their passwords are not all checked at the full cost again.
 */
export class FileAuthenticator implements Authenticator {
  readonly #table: AuthTable;
  readonly #key = randomBytes(32);
  readonly #remembered = new Set<string>();
  #standIn: string | undefined;
  #checking = 0;
  readonly #queue: (() => void)[] = [];

  /** By a file that {@linkcode parseAuthFile} read. */
  constructor(table: AuthTable) {
    this.#table = table;
  }

  /** Resolves to who it is; `undefined` if the credentials are wrong. */
  async authenticate({ token, user, password }: Credentials): Promise<Principal | undefined> {
    if (token !== undefined) return this.#table.tokens.get(hashToken(token));
    if (user === undefined || password === undefined) return undefined;
    const known = this.#table.users.get(user);
    const trace = createHmac("sha256", this.#key).update(JSON.stringify([user, password]))
      .digest("base64");
    if (known && this.#remembered.has(trace)) return known.principal;
    // A name that does not exist takes as long, so that names cannot be found out by the clock.
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
      // A hash that the runtime cannot check is the password of nobody.
      return false;
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#checking--;
    }
  }
}
