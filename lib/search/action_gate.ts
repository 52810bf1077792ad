import { type Authenticator, type Credentials, type Principal } from "../access/mod.ts";
import { type Frame, jsonFrame } from "../frame/mod.ts";
import { type Connection, networkOf } from "../net/mod.ts";
import { type ReplyInit, RequestError } from "../request/mod.ts";

/** The action by which a client says who it is. */
const HELLO = "hello";

/** A `hello` with more content is no login. */
const MAX_HELLO_BYTES = 65_536;

/**
 * Lets clients of the search app do what they may, once they have said who they are: the first
 * request of a connection is `{"action": "hello"}` with a `token`, or a `user` and `password`.
 */
export class ActionGate {
  readonly #authenticator: Authenticator;
  /** Who each connection is, or will turn out to be. */
  readonly #principals = new WeakMap<Connection, Principal | Promise<Principal | undefined>>();

  /** Asks the authenticator who clients are. */
  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
  }

  /** Whether a connection's client may carry out an action now, without further ado. */
  permits(connection: Connection, action: string): boolean {
    const principal = this.#principals.get(connection);
    if (principal === undefined || principal instanceof Promise) return false;
    return mayDo(principal, action);
  }

  /** Resolves when a login that is being checked is decided; `undefined` if none is. */
  deciding(connection: Connection): Promise<unknown> | undefined {
    const principal = this.#principals.get(connection);
    return principal instanceof Promise ? principal : undefined;
  }

  /** @throws {RequestError} `unauthorized` if a connection's client has not said who it is. */
  checkIdentified(connection: Connection): Principal {
    const principal = this.#principals.get(connection);
    if (principal !== undefined && !(principal instanceof Promise)) return principal;
    const message = "Say hello first, with a token or a user and password";
    throw new RequestError("unauthorized", message);
  }

  /**
   * Checks whether a connection's client may carry out an action.
   *
   * @throws {RequestError} `unauthorized` if it has not said who it is, `forbidden` if it has not the
   * right.
   */
  check(connection: Connection, action: string): void {
    const principal = this.checkIdentified(connection);
    if (mayDo(principal, action)) return;
    throw new RequestError("forbidden", `${principal.name} may not ${action}`);
  }

  /** The answer to a login; `undefined` if the request is none. */
  hello(frame: Frame, connection: Connection): Promise<ReplyInit> | undefined {
    if (this.#principals.has(connection)) return undefined;
    const credentials = credentialsIn(frame);
    if (credentials === undefined) return undefined;
    const attempt = { peer: networkOf(connection.remote), signal: connection.signal };
    const deciding = this.#authenticator.authenticate(credentials, attempt).then(
      (principal) => {
        if (principal) this.#principals.set(connection, principal);
        else this.#principals.delete(connection);
        return principal;
      },
      (error) => {
        this.#principals.delete(connection);
        throw error;
      },
    );
    this.#principals.set(connection, deciding);
    return answer(deciding);
  }
}

async function answer(deciding: Promise<Principal | undefined>): Promise<ReplyInit> {
  let principal: Principal | undefined;
  try {
    principal = await deciding;
  } catch (cause) {
    const message = "The server cannot check the credentials now: too many logins wait";
    throw new RequestError("over-budget", message, { cause });
  }
  if (principal) return jsonFrame({ result: `Hello, ${principal.name}.`, user: principal.name });
  throw new RequestError("unauthorized", "The credentials are not accepted");
}

function mayDo(principal: Principal, action: string): boolean {
  const { allow, deny } = principal.permission("actions");
  const covers = (pattern: string) => pattern === "*" || pattern === action;
  return allow.some(covers) && !deny.some(covers);
}

/** What a `hello` says; `undefined` if the request is none. */
function credentialsIn(frame: Frame): Credentials | undefined {
  const { header } = frame;
  if (header["content-type"] !== "text/json") return undefined;
  if (header["content-length"] > MAX_HELLO_BYTES) return undefined;
  const request = frame.json();
  if (typeof request !== "object" || request === null || Array.isArray(request)) return undefined;
  const { action, token, user, password } = request as Record<string, unknown>;
  if (action !== HELLO) return undefined;
  for (const [name, value] of Object.entries({ token, user, password })) {
    if (value === undefined || typeof value === "string") continue;
    throw new RequestError("bad-request", `The request's "${name}" must be a string`);
  }
  return { token, user, password } as Credentials;
}
