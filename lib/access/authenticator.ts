import type { Principal } from "./principal.ts";

/** What a client says to show who it is: a token, or a name and a password. */
export interface Credentials {
  /** A secret that also names its holder. */
  readonly token?: string | undefined;
  /** The user's name. */
  readonly user?: string | undefined;
  /** The user's password. */
  readonly password?: string | undefined;
}

/** Finds out who a client is. */
export interface Authenticator {
  /** Resolves to who it is; `undefined` if the credentials are wrong. Never rejects. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>;
}
