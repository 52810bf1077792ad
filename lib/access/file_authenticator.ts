import { createHmac, randomBytes } from "node:crypto";
import { FairQueue } from "../base/fair_queue.ts";
import type { AuthTable } from "./auth_file.ts";
import type { Authenticator, Credentials, LoginAttempt } from "./authenticator.ts";
import { hashToken, unmatchedHash, verifyPassword } from "./credential_hash.ts";
import type { Principal } from "./principal.ts";

/** Passwords checked at the same time. Each check takes 16 MiB, and a thread for about 50 ms. */
const MAX_AT_ONCE = 2;

/** Logins that wait for their check: of all peers, and of one. */
const MAX_WAITING = 1_000;
const MAX_WAITING_PER_PEER = 100;

/** The most correct passwords that are remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Authenticates clients by an authentication file. Correct passwords are remembered as keyed hashes,
 * in memory only: when a thousand clients reconnect after a network outage, their passwords are not
 * all checked at full cost again.
 *
 * Checks wait in a queue in which peers take turns, and which those leave that disconnect. So neither
 * wrong passwords nor unknown names delay other peers' logins by more than a few checks.
 */
export class FileAuthenticator implements Authenticator {
  readonly #table: AuthTable;
  readonly #key = randomBytes(32);
  readonly #remembered = new Set<string>();
  readonly #unmatched: string;
  readonly #queue = new FairQueue({
    atOnce: MAX_AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitingPerKey: MAX_WAITING_PER_PEER,
  });

  /** Takes what {@linkcode parseAuthFile} read. */
  constructor(table: AuthTable) {
    this.#table = table;
    const [first] = table.users.values();
    this.#unmatched = unmatchedHash(first?.hash);
  }

  /**
   * Resolves to the principal of the credentials; `undefined` if they are wrong.
   *
   * @throws {QueueFullError} if too many logins wait already. Rejects with the reason of the
   * attempt's signal when that is aborted before the check began.
   */
  async authenticate(
    { token, user, password }: Credentials,
    { peer = "", signal }: LoginAttempt = {},
  ): Promise<Principal | undefined> {
    if (token !== undefined) return this.#table.tokens.get(hashToken(token));
    if (user === undefined || password === undefined) return undefined;
    const known = this.#table.users.get(user);
    const trace = createHmac("sha256", this.#key).update(JSON.stringify([user, password]))
      .digest("base64");
    if (known && this.#remembered.has(trace)) return known.principal;
    // An unknown name takes as long as a known one: response times do not tell which names exist.
    const hash = known?.hash ?? this.#unmatched;
    const right = await this.#queue.run(peer, () => matches(password, hash), signal);
    if (!known || !right) return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(trace);
    return known.principal;
  }
}

async function matches(password: string, hash: string): Promise<boolean> {
  try {
    return await verifyPassword(password, hash);
  } catch {
    // No password matches a hash that the runtime cannot check.
    return false;
  }
}
