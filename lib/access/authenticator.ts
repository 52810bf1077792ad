import { QueueFullError } from "../base/fair_queue.ts";
import { checkGiven } from "../base/option_kinds.ts";
import type { Principal } from "./principal.ts";

/** What a client proves its identity with: a token, or a name and a password. */
export interface Credentials {
  /** A secret that stands for both a name and a password. */
  readonly token?: string | undefined;
  /** The user's name. */
  readonly user?: string | undefined;
  /** The user's password. */
  readonly password?: string | undefined;
}

/** The surroundings of a login. */
export interface LoginAttempt {
  /** From where it comes: those from one place wait behind each other, not behind all. */
  readonly peer?: string | undefined;
  /** Aborted when the client leaves, or when the time for its login is up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks an option that is an authenticator: one that is there and cannot be asked must not let
 * everybody in.
 *
 * @throws {TypeError} if it is none.
 */
export function checkAuthenticator(authenticator: Authenticator | undefined): void {
  if (authenticator === undefined) return;
  checkGiven("authenticator", authenticator, "object");
  checkGiven("authenticator.authenticate", authenticator.authenticate, "function");
}

/** Finds out who a client is. */
export interface Authenticator {
  /**
   * Resolves to the principal of the credentials; `undefined` if they are wrong. It may reject if it
   * cannot tell, for instance because too many logins wait, or if the attempt's signal is aborted. The
   * reason is told to the operator only; the client learns that its credentials could not be checked.
   * Servers wait for a limited time. Then the client is told so, and may have to connect again.
   */
  authenticate(credentials: Credentials, attempt?: LoginAttempt): Promise<Principal | undefined>;
}

/**
 * Asks an authenticator.
 *
 * @throws {TypeError} if what it gives is no principal: the client's first request would fail, not its
 * login. Otherwise rejects as the authenticator does.
 */
export async function askAuthenticator(
  authenticator: Authenticator,
  credentials: Credentials,
  attempt: LoginAttempt,
): Promise<Principal | undefined> {
  const principal = await authenticator.authenticate(credentials, attempt);
  if (principal) checkGiven("principal.permission", principal.permission, "function");
  return principal;
}

/** An authenticator took too long. */
export class LoginTimeoutError extends Error {
  override readonly name = "LoginTimeoutError";
}

/**
 * What a client is told where its credentials cannot be checked now, because too many logins wait or
 * it takes too long; `undefined` if an authenticator fails otherwise.
 */
export function notCheckedNow(failure: unknown): string | undefined {
  if (failure instanceof LoginTimeoutError) {
    return "The server cannot check the credentials in time";
  }
  if (!(failure instanceof QueueFullError)) return undefined;
  return "The server cannot check the credentials now: too many logins wait";
}
