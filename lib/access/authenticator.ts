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

/** Finds out who a client is. */
export interface Authenticator {
  /** Resolves to the principal of the credentials; `undefined` if they are wrong. Never rejects. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>;
}
