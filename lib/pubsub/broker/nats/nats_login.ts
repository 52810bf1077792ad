import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { NatsError } from "./nats_error.ts";
import type { NatsServers } from "./nats_servers.ts";

/** A seed stands alone in its line; it begins with what it is for. */
const SEED = /^\s*(S[A-Z][A-Z2-7]{56})\s*$/m;

/**
 * How a client logs in to NATS: by the content of a file with a JWT and its seed, or with the seed
 * of an nkey alone; else by what stands in the URLs.
 *
 * @returns What makes the answer to a server's nonce; `undefined` if nothing is given.
 * @throws {NatsError} `unauthorized` if the file holds neither. The message has nothing of it.
 */
export function natsLogin(
  credentials: NatsServers["credentials"],
  creds: string | undefined,
): Authenticator | undefined {
  if (creds !== undefined) return fileLogin(creds);
  if (credentials === undefined) return undefined;
  return "token" in credentials
    ? tokenAuthenticator(credentials.token)
    : usernamePasswordAuthenticator(credentials.user, credentials.pass);
}

function fileLogin(creds: string): Authenticator {
  const encoder = new TextEncoder();
  const [, seed] = SEED.exec(creds) ?? [];
  const hasJwt = /BEGIN [A-Z ]*JWT/.test(creds);
  const login = hasJwt
    ? credsAuthenticator(encoder.encode(creds))
    : nkeyAuthenticator(encoder.encode(seed));
  try {
    if (seed === undefined) throw new Error("there is no seed");
    // It reads the file each time that it is asked.
    login("");
    return login;
  } catch {
    const message =
      "Cannot log in to NATS: the credentials hold no JWT with its seed, and no seed " +
      "of an nkey alone, that can be read (--nats-creds FILE)";
    throw new NatsError("unauthorized", message);
  }
}
