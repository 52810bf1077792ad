import { authenticateInTime } from "../access/authenticate_in_time.ts";
import { notCheckedNow } from "../access/authenticator.ts";
import type { Authenticator, Credentials, LoginAttempt, Principal } from "../access/mod.ts";
import { WebError } from "./reply.ts";

/**
 * Finds out who asks, by the header `Authorization`: `Bearer TOKEN`, or `Basic` with a name and a
 * password in base64 (RFC 6750 and 7617).
 *
 * @throws {WebError} 401 if it is nobody whom the authenticator knows; 503 while too many logins wait,
 * or where this one takes longer than `timeoutMs`.
 * Otherwise what the authenticator fails with, which is for the operator.
 */
export async function login(
  authorization: string | undefined,
  authenticator: Authenticator,
  attempt: LoginAttempt,
  timeoutMs: number,
): Promise<Principal> {
  if (authorization === undefined) throw refused("Say who you are: a token, or a user's password");
  const credentials = credentialsOf(authorization);
  if (credentials === undefined) throw refused("The header Authorization cannot be read");
  let principal: Principal | undefined;
  try {
    principal = await authenticateInTime(authenticator, credentials, attempt, timeoutMs);
  } catch (cause) {
    attempt.signal?.throwIfAborted();
    const full = notCheckedNow(cause);
    if (full === undefined) throw cause;
    throw new WebError(503, "over-budget", full, { "retry-after": "1" });
  }
  if (principal?.current === undefined) throw refused("The token or the password is wrong");
  return principal.current;
}

/** With the scheme `Basic` in it, browsers would ask for a password in a window of their own. */
function refused(message: string): WebError {
  return new WebError(401, "unauthorized", message, {
    "www-authenticate": 'Bearer realm="socktool"',
  });
}

function credentialsOf(authorization: string): Credentials | undefined {
  const [, scheme, value] = /^(bearer|basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return { token: value };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(value!));
    const colon = text.indexOf(":");
    if (colon < 0) return undefined;
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return undefined;
  }
}
