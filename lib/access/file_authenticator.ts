import { FairQueue } from "../base/fair_queue.ts";
import type { AuthTable } from "./auth_file.ts";
import type { Authenticator, Credentials, LoginAttempt } from "./authenticator.ts";
import { hashToken, unmatchedHash, verifyPassword } from "./credential_hash.ts";
import { nodeCrypto } from "./node_crypto.ts";
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
  #table: AuthTable = { users: new Map(), tokens: new Map() };
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  readonly #remembered = new Set<string>();
  #unmatched = "";
  readonly #queue = new FairQueue({
    atOnce: MAX_AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitingPerKey: MAX_WAITING_PER_PEER,
  });

  /** Takes what {@linkcode parseAuthFile} read. */
  constructor(table: AuthTable) {
    this.update(table);
  }

  /**
   * Takes what {@linkcode parseAuthFile} read when the file has changed. Clients that are connected
   * get the rights that the file gives them now. Those whose user or token is gone, or whose password
   * is another, get none. For the others nothing changes.
   *
   * @throws {TypeError} if principals of the table were replaced already, by another update.
   */
  update({ users, tokens }: AuthTable): void {
    const all = [...[...users.values()].map(({ principal }) => principal), ...tokens.values()];
    if (all.some((principal) => principal.current !== principal)) {
      throw new TypeError("Cannot use an authentication table that was replaced: read it again");
    }
    const before = this.#table;
    const keptUsers = new Map(users);
    for (const [name, { hash, principal }] of before.users) {
      const next = users.get(name);
      const kept = take(principal, next?.hash === hash ? next.principal : undefined);
      if (kept) keptUsers.set(name, { hash, principal: kept });
    }
    const keptTokens = new Map(tokens);
    for (const [hash, principal] of before.tokens) {
      const kept = take(principal, tokens.get(hash));
      if (kept) keptTokens.set(hash, kept);
    }
    this.#table = { users: keptUsers, tokens: keptTokens };
    const [first] = users.values();
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
    const trace = nodeCrypto().createHmac("sha256", this.#key)
      .update(JSON.stringify([user, password, known?.hash])).digest("base64");
    if (known && this.#remembered.has(trace)) return known.principal;
    // An unknown name takes as long as a known one: response times do not tell which names exist.
    const hash = known?.hash ?? this.#unmatched;
    const right = await this.#queue.run(peer, () => matches(password, hash), signal);
    if (!known || !right) return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(trace);
    // The file may have changed meanwhile.
    return known.principal.current;
  }
}

/**
 * Has a principal replaced by the one that stands in the file now, unless they are equal.
 *
 * @returns It, if it stays.
 */
function take(principal: Principal, next: Principal | undefined): Principal | undefined {
  if (next === principal || (next && principal.equals(next))) return principal;
  // Another authenticator may have the same one.
  if (principal.current === principal) principal.replaceBy(next);
  return undefined;
}

async function matches(password: string, hash: string): Promise<boolean> {
  try {
    return await verifyPassword(password, hash);
  } catch {
    // No password matches a hash that the runtime cannot check.
    return false;
  }
}
