import type { Address } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { ConnectionError } from "./connection_error.ts";
import type { Handshakes, Listener, ServerTls } from "./listener.ts";
import { PendingHandshakes } from "./pending_handshakes.ts";
import { resolveServerTls } from "./handshake_limits.ts";
import { checkCertificate, type ServerCertificate } from "./server_certificate.ts";
import { TlsHandshake } from "./tls_handshake.ts";
import { Turns } from "./turns.ts";

/** After this many accepts without a complete handshake, those that were accepted get their turn. */
const ACCEPTS_IN_A_ROW = 8;

/**
 * Accepts TLS connections over a listener of plain ones. Handshakes are made at the same time, a
 * bounded number of them and each in bounded time. {@linkcode TlsListener.accept} resolves when one
 * is complete; those that fail are told by {@linkcode TlsListener.handshakes}.
 *
 * The runtime's own TLS listener does not fit: if a client does not complete its handshake, its
 * descriptor stays open until the client leaves, even after the connection was closed.
 */
export class TlsListener implements Listener, Handshakes {
  /** Where it listens. */
  readonly address: Address;
  /** Its connections use TLS. */
  readonly secure = true;
  /** Called for each handshake that fails. */
  onFailed: Handshakes["onFailed"];
  readonly #inner: Listener;
  readonly #turns = new Turns();
  readonly #pending = new PendingHandshakes<TlsHandshake>();
  /** Connections whose handshake was complete when nobody waited for one. */
  readonly #ready: Deno.Conn[] = [];
  readonly #turnToEnd = () => this.#turns.takeToEnd();
  #certificate: ServerCertificate;
  #failed = 0;
  #acceptsInARow = 0;
  #waiting: PromiseWithResolvers<Deno.Conn> | undefined;
  #accepting = false;
  #acceptFailure: { readonly cause: unknown } | undefined;
  #closed = false;

  /** Takes over a listener. */
  constructor(inner: Listener, certificate: ServerCertificate) {
    this.address = inner.address;
    this.#inner = inner;
    this.#certificate = certificate;
  }

  /** The handshakes. */
  get handshakes(): Handshakes {
    return this;
  }

  /** How many are under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** How many have failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Waits for the next connection. */
  accept(): Promise<Deno.Conn> {
    const conn = this.#ready.shift();
    if (conn) return Promise.resolve(conn);
    const failure = this.#acceptFailure;
    this.#acceptFailure = undefined;
    if (failure) return Promise.reject(failure.cause);
    if (this.#closed) return Promise.reject(closedError());
    this.#waiting ??= Promise.withResolvers();
    const { promise } = this.#waiting;
    if (!this.#accepting) void this.#acceptAll();
    return promise;
  }

  /** Stops listening, and ends all handshakes that are under way. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inner.close();
    void this.#turns.close();
    for (const handshake of [...this.#pending]) handshake.abort(closedError());
    for (const conn of this.#ready.splice(0)) closeQuietly(conn);
    this.#waiting?.reject(closedError());
    this.#waiting = undefined;
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Accepts plain connections for as long as somebody waits for one. Never rejects. */
  async #acceptAll(): Promise<void> {
    this.#accepting = true;
    while (this.#waiting && !this.#closed) {
      try {
        this.#begin(await this.#inner.accept() as Deno.TcpConn);
      } catch (cause) {
        this.#acceptFailed(cause);
      }
      if (++this.#acceptsInARow >= ACCEPTS_IN_A_ROW) {
        this.#acceptsInARow = 0;
        await this.#turns.take(true);
      }
    }
    this.#accepting = false;
  }

  #acceptFailed(cause: unknown): void {
    if (this.#waiting) this.#waiting.reject(cause);
    else if (!this.#closed) this.#acceptFailure = { cause };
    this.#waiting = undefined;
  }

  #begin(conn: Deno.TcpConn): void {
    const remote = addressOf(conn.remoteAddr);
    let handshake: TlsHandshake;
    try {
      if ("setNoDelay" in conn) conn.setNoDelay(true);
      handshake = new TlsHandshake(conn, this.#certificate, this.#turnToEnd);
    } catch (cause) {
      closeQuietly(conn);
      return this.#tellFailed(remote, cause);
    }
    if (this.#pending.size >= this.#certificate.maxHandshakes) {
      this.#pending.takeLeast()?.abort(new Error("too many other handshakes were under way"));
    }
    this.#pending.add(handshake);
    handshake.done.finally(() => this.#pending.delete(handshake)).then(
      (conn) => this.#secured(conn),
      (cause) => this.#tellFailed(remote, cause),
    );
  }

  #secured(conn: Deno.Conn): void {
    this.#acceptsInARow = 0;
    if (this.#closed) return closeQuietly(conn);
    if (this.#waiting) this.#waiting.resolve(conn);
    else this.#ready.push(conn);
    this.#waiting = undefined;
  }

  #tellFailed(remote: Address, cause: unknown): void {
    if (this.#closed) return;
    this.#failed++;
    this.onFailed?.(new ConnectionError("tls-handshake", remote, cause));
  }

  /** Uses another certificate for clients to come. */
  // deno-lint-ignore require-await -- What it throws becomes a rejection.
  async renew(tls: ServerTls): Promise<void> {
    const limits = resolveServerTls(tls);
    try {
      this.#certificate = checkCertificate(tls, limits);
    } catch (cause) {
      throw new ConnectionError("listen", this.address, cause);
    }
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
