import type { Authenticator, Principal } from "../../lib/access/mod.ts";
import type { Address, ServerTls } from "../../lib/net/mod.ts";

/** The flags of a server that has an HTTP side. */
export interface HttpFlagValues {
  readonly http: Address | undefined;
  /** Absent of commands that do not have these flags. */
  readonly "http-host"?: readonly string[];
  readonly "allow-origin"?: readonly string[];
  readonly auth?: string | undefined;
  readonly insecure: boolean;
  readonly json: boolean;
}

/** What the HTTP side has of its server. */
export interface HttpSurroundings {
  /** The server's certificate. */
  readonly tls?: ServerTls | undefined;
  readonly authenticator?: Authenticator | undefined;
  /** Who may read the figures, where there is an authenticator. */
  readonly may?: ((principal: Principal) => boolean) | undefined;
  /** Why the server can no longer do all that it is for; `undefined` if it can. */
  readonly failure?: (() => string | undefined) | undefined;
  /** What it cannot do for the moment; `undefined` if it can do everything. */
  readonly lack?: (() => string | undefined) | undefined;
}
