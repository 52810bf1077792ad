import { before } from "../base/before.ts";
import {
  askAuthenticator,
  type Authenticator,
  type Credentials,
  type LoginAttempt,
  LoginTimeoutError,
} from "./authenticator.ts";
import type { Principal } from "./principal.ts";

/**
 * Asks an authenticator, which has to decide in time. After that the attempt is aborted, and its
 * outcome is ignored.
 *
 * @throws {LoginTimeoutError} when the time is up. Otherwise rejects as the authenticator does.
 */
export async function authenticateInTime(
  authenticator: Authenticator,
  credentials: Credentials,
  { peer, signal }: LoginAttempt,
  timeoutMs: number,
): Promise<Principal | undefined> {
  const time = new AbortController();
  const attempt = { peer, signal: signal ? AbortSignal.any([signal, time.signal]) : time.signal };
  const deciding = askAuthenticator(authenticator, credentials, attempt);
  if (await before(deciding, timeoutMs)) return await deciding;
  const late = new LoginTimeoutError(`The authenticator has not decided within ${timeoutMs} ms`);
  time.abort(late);
  throw late;
}
