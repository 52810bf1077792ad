import { AcceptQueue, closedError } from "./accept_queue.ts";
import type { Address } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { Admission } from "./admission.ts";
import { giveWay } from "./giving_way.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { Condition } from "../base/condition.ts";
import { guard } from "../base/report.ts";
import { ConnectionError } from "./connection_error.ts";
import type { Handshakes, Listener, ServerTls } from "./listener.ts";
import { ArrivalPatience } from "./arrival_patience.ts";
import { PendingHandshakes } from "./pending_handshakes.ts";
import { resolveServerTls } from "./handshake_limits.ts";
import { checkCertificate, type ServerCertificate } from "./server_certificate.ts";
import { type HandshakeEvents, TlsHandshake } from "./tls_handshake.ts";
import { Turns } from "./turns.ts";

/**
 * After this many accepts without a complete handshake, or half of the handshakes that may be under way if
 * that is less, what the accepted clients have sent is read first: else later ones would push them out.
 */
const ACCEPTS_IN_A_ROW = 32;

/** The patience where there is no room for one more, and what a handshake gives back: about what it takes. */
const MAX_PATIENCE_MS = 100;
const EARNED_MS = 2;

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
  /** Those that have not begun: their clients have sent nothing yet, or they wait for their turn. */
  readonly #waiting = new PendingHandshakes<TlsHandshake>();
  /** Those that have begun: their clients have to go on. */
  readonly #begun = new PendingHandshakes<TlsHandshake>();
  /** Connections whose handshake is complete. */
  readonly #queue = new AcceptQueue();
  /** Those that wait for their turn. */
  readonly #admission = new Admission<TlsHandshake>(
    this.#turns,
    (handshake) => this.#begin(handshake),
    ({ isOver }) => isOver,
  );
  readonly #events: HandshakeEvents = {
    arrived: (handshake) => this.#admission.add(handshake.network, handshake),
    turnToEnd: () => this.#turns.takeToEnd(),
  };
  readonly #givingWay = giveWay({
    unproven: () => this.pending,
    giveUp: (count) => {
      for (let i = 0; i < count; i++) this.#giveUpOne();
    },
  });
  #certificate: ServerCertificate;
  #failed = 0;
  #acceptsInARow = 0;
  #accepting = false;
  readonly #patience: ArrivalPatience;
  /** A handshake is over. */
  readonly #room = new Condition();

  /** Takes over a listener. */
  constructor(inner: Listener, certificate: ServerCertificate, maxPatienceMs = MAX_PATIENCE_MS) {
    this.#patience = new ArrivalPatience(maxPatienceMs);
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
    return this.#waiting.size + this.#begun.size;
  }

  /** How many have failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Waits for the next connection. */
  accept(): Promise<Deno.Conn> {
    const accepting = this.#queue.accept();
    if (this.#queue.isAwaited && !this.#accepting) void this.#acceptAll();
    return accepting;
  }

  /** Stops listening, and ends all handshakes that are under way. */
  close(): void {
    if (this.#queue.isClosed) return;
    this.#queue.close();
    this.#inner.close();
    void this.#turns.close();
    this.#givingWay[Symbol.dispose]();
    this.#admission.clear();
    for (const handshake of [...this.#waiting, ...this.#begun]) handshake.abort(closedError());
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Accepts plain connections for as long as somebody waits for one. Never rejects. */
  async #acceptAll(): Promise<void> {
    this.#accepting = true;
    while (this.#queue.isAwaited) {
      if (this.#isFull) await this.#waitForRoom();
      try {
        this.#add(await this.#inner.accept() as Deno.TcpConn);
      } catch (cause) {
        this.#queue.fail(cause);
      }
      const most = Math.min(ACCEPTS_IN_A_ROW, this.#certificate.maxHandshakes / 2);
      if (++this.#acceptsInARow >= most) {
        this.#acceptsInARow = 0;
        await this.#turns.take(true);
      }
    }
    this.#accepting = false;
  }

  get #isFull(): boolean {
    return this.pending >= this.#certificate.maxHandshakes;
  }

  /** Waits until there is room for one more, or patience is used up. */
  async #waitForRoom(): Promise<void> {
    while (this.#isFull && !this.#patience.isOver) await this.#patience.wait(this.#room.wait());
  }

  #add(conn: Deno.TcpConn): void {
    // It was on its way when the listener was closed.
    if (this.#queue.isClosed) return closeQuietly(conn);
    const remote = addressOf(conn.remoteAddr);
    let handshake: TlsHandshake;
    try {
      if ("setNoDelay" in conn) conn.setNoDelay(true);
      handshake = new TlsHandshake(conn, this.#certificate, this.#events);
    } catch (cause) {
      closeQuietly(conn);
      return this.#tellFailed(remote, cause);
    }
    if (this.#isFull) this.#giveUpOne();
    this.#waiting.add(handshake);
    handshake.done.finally(() => {
      this.#waiting.delete(handshake);
      this.#begun.delete(handshake);
      this.#room.notify();
    }).then((conn) => this.#secured(conn), (cause) => this.#tellFailed(remote, cause));
  }

  /**
   * Those that have begun may have half of the room: clients are accepted faster than their handshakes
   * begin, and would push out those that are about to be complete.
   */
  #giveUpOne(): void {
    const from = this.#begun.size > this.#waiting.size ? this.#begun : this.#waiting;
    from.takeLeast()?.abort(new Error("too many other handshakes were under way"));
  }

  #begin(handshake: TlsHandshake): void {
    this.#waiting.delete(handshake);
    this.#begun.add(handshake);
    handshake.begin();
  }

  #secured(conn: Deno.Conn): void {
    this.#acceptsInARow = 0;
    this.#patience.giveBack(EARNED_MS);
    this.#queue.add(conn);
  }

  #tellFailed(remote: Address, cause: unknown): void {
    if (this.#queue.isClosed) return;
    this.#failed++;
    const error = new ConnectionError("tls-handshake", remote, cause);
    guard("The callback onFailed of a listener failed", () => this.onFailed?.(error));
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
