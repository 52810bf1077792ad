import { authenticateInTime } from "../access/authenticate_in_time.ts";
import { LoginTimeoutError, notCheckedNow } from "../access/authenticator.ts";
import type { Authenticator, Credentials, Principal } from "../access/mod.ts";
import { inSteps, visitInParts } from "../base/in_steps.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { jsonFrame } from "../frame/frame_encoder.ts";
import type { Frame } from "../frame/mod.ts";
import { networkOf } from "../net/address.ts";
import type { Peer } from "../net/mod.ts";
import type { ReplyInit } from "../request/mod.ts";
import { RequestError } from "../request/request_error.ts";

/** The action by which a client says who it is. */
const HELLO = "hello";

/** Who a peer is, where that is known without a `hello` of it; else `undefined`. */
export type PrincipalOf = (peer: Peer) => Principal | undefined;

/** How often to look whether the rights of quiet clients have changed, in milliseconds. */
const RIGHTS_LOOK_MS = 250;

/** Clients that are checked between two looks at the clock. */
const RIGHTS_PART = 10;

/** A `hello` with more content is no login. */
const MAX_HELLO_BYTES = 65_536;

/**
 * Lets clients of the search app do what they may, once they have said who they are: the first
 * request of a connection is `{"action": "hello"}` with a `token`, or a `user` and `password`.
 */
export class ActionGate {
  readonly #authenticator: Authenticator;
  readonly #helloTimeoutMs: number;
  readonly #principalOf: PrincipalOf;
  /** Connections whose login is being checked. */
  readonly #deciding = new Map<Peer, Promise<unknown>>();
  /** Who each connection is. */
  readonly #principals = new Map<Peer, Principal>();
  /** Connections whose clients may not be served any more. */
  readonly #revoked = new WeakMap<Peer, Principal>();
  /** Runs while somebody is connected. */
  readonly #looking = new PeriodicLook(RIGHTS_LOOK_MS, () => this.#lookAtRights());
  #looksAtRights = false;

  /**
   * @param authenticator Is asked who clients are, where `principalOf` does not know it.
   * @param helloTimeoutMs How long it may take over one of them.
   */
  constructor(
    authenticator: Authenticator,
    helloTimeoutMs: number,
    principalOf: PrincipalOf = () => undefined,
  ) {
    this.#authenticator = authenticator;
    this.#helloTimeoutMs = helloTimeoutMs;
    this.#principalOf = principalOf;
  }

  /** Whether a connection's client may carry out an action at once. */
  permits(connection: Peer, action: string): boolean {
    const principal = this.#principals.get(connection) ?? this.#principalOf(connection);
    return principal !== undefined && principal.current === principal && mayDo(principal, action);
  }

  /** Resolves when a login that is being checked is decided; `undefined` if none is. */
  deciding(connection: Peer): Promise<unknown> | undefined {
    return this.#deciding.get(connection);
  }

  /**
   * Who a connection's client is.
   *
   * @throws {RequestError} `unauthorized` if it has not said so, or may not be served any more.
   */
  checkIdentified(connection: Peer): Principal {
    const principal = this.#current(connection);
    if (principal) return principal;
    const revoked = this.#revoked.get(connection);
    if (revoked) {
      connection.revoke();
      throw revocation(revoked);
    }
    const message = "Say hello first, with a token or a user and password";
    throw new RequestError("unauthorized", message);
  }

  /**
   * Checks whether a connection's client may carry out an action.
   *
   * @throws {RequestError} `unauthorized` if it has not said who it is, `forbidden` if it has not the
   * right.
   */
  check(connection: Peer, action: string): void {
    const principal = this.checkIdentified(connection);
    if (mayDo(principal, action)) return;
    throw new RequestError("forbidden", `${principal.name} may not ${action}`);
  }

  /** The answer to a login; `undefined` if the request is none. */
  hello(frame: Frame, connection: Peer): Promise<ReplyInit> | undefined {
    if (this.#principals.has(connection) || this.#revoked.has(connection)) return undefined;
    if (this.#principalOf(connection) !== undefined) return undefined;
    const credentials = credentialsIn(frame);
    if (credentials === undefined) return undefined;
    const attempt = { peer: networkOf(connection.remote), signal: connection.signal };
    const deciding = authenticateInTime(
      this.#authenticator,
      credentials,
      attempt,
      this.#helloTimeoutMs,
    ).then((principal) => {
      if (principal) this.#add(connection, principal);
      return principal;
    }).finally(() => this.#deciding.delete(connection));
    this.#deciding.set(connection, deciding);
    return answer(deciding, connection);
  }

  #add(connection: Peer, principal: Principal): void {
    const { signal } = connection;
    if (signal.aborted) return;
    this.#principals.set(connection, principal);
    signal.addEventListener("abort", () => this.#delete(connection), { once: true });
    this.#looking.start();
  }

  #delete(connection: Peer): void {
    this.#principals.delete(connection);
    if (this.#principals.size === 0) this.#looking.stop();
  }

  /** Who a connection's client is, with the rights of this moment; `undefined` if it is nobody. */
  #current(connection: Peer): Principal | undefined {
    const principal = this.#principals.get(connection) ?? this.#principalOf(connection)?.current;
    const current = principal?.current;
    if (principal === undefined || current === principal) return principal;
    if (current) this.#principals.set(connection, current);
    else {
      this.#delete(connection);
      this.#revoked.set(connection, principal);
    }
    return current;
  }

  /** Tells clients that send nothing. Works in steps, because there may be thousands. */
  #lookAtRights(): void {
    if (this.#looksAtRights) return;
    this.#looksAtRights = true;
    const look = ([connection, principal]: [Peer, Principal]) => {
      if (!this.#current(connection)) connection.revoke(revocation(principal));
    };
    const over = () => void (this.#looksAtRights = false);
    const looking = inSteps(visitInParts(this.#principals, look, RIGHTS_PART));
    if (looking) void looking.then(over);
    else over();
  }
}

function revocation({ name }: Principal): RequestError {
  return new RequestError("unauthorized", `${name} may not be connected any more`);
}

async function answer(
  deciding: Promise<Principal | undefined>,
  connection: Peer,
): Promise<ReplyInit> {
  let principal: Principal | undefined;
  try {
    principal = await deciding;
  } catch (cause) {
    // The authenticator may hang for ever on this login; on another connection it may not.
    if (cause instanceof LoginTimeoutError) connection.revoke();
    const why = notCheckedNow(cause);
    // Any other failure is the authenticator's, of which the server's observer is told.
    throw why === undefined ? cause : new RequestError("over-budget", why, { cause });
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
