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
  /** Aborted when the client leaves. */
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
   * Resolves to the principal of the credentials; `undefined` if they are wrong. May reject where it
   * cannot tell, as while too many logins wait, and when the attempt's signal is aborted. What else it
   * rejects with is told to the operator only: the client learns that it could not be checked.
   */
  authenticate(credentials: Credentials, attempt?: LoginAttempt): Promise<Principal | undefined>;
}

/** What a client is told where too many logins wait; `undefined` if an authenticator fails otherwise. */
export function tooManyLogins(failure: unknown): string | undefined {
  if (!(failure instanceof QueueFullError)) return undefined;
  return "The server cannot check the credentials now: too many logins wait";
}
