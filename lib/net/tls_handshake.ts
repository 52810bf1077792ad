import { setImmediate } from "node:timers";
import { TLSSocket } from "node:tls";
import { networkOf } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { handOnUncopied } from "./encrypted_output.ts";
import { NodeConn } from "./node_conn.ts";
import type { PendingHandshake } from "./pending_handshakes.ts";
import type { ServerCertificate } from "./server_certificate.ts";
import { TlsTransport } from "./tls_transport.ts";

/** A fatal alert, "handshake failure". A client that speaks no TLS sees by it that the server does. */
const ALERT = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40);

/** How much to read at a time: what a client sends in a handshake is rarely more. */
const READ_BYTES = 2_048;

/** What a {@linkcode TlsHandshake} asks of its listener. */
export interface HandshakeEvents {
  /** The client has sent something: `begin` is to be called, which takes most of a millisecond. */
  arrived(handshake: TlsHandshake): void;
  /** What to wait for before the end of the connection is dealt with. */
  turnToEnd(): Promise<void> | undefined;
}

/** The server's side of a TLS handshake. */
export class TlsHandshake implements PendingHandshake {
  /** The network of the client. */
  readonly network: string;
  /**
   * Resolves to the connection when the handshake is complete. Rejects when it fails; then the socket
   * is closed.
   */
  readonly done: Promise<Deno.Conn>;
  readonly #tcp: Deno.TcpConn;
  readonly #certificate: ServerCertificate;
  readonly #transport: TlsTransport;
  readonly #events: HandshakeEvents;
  /** Made when the client sends something: many only connect. */
  #conn: NodeConn | undefined;
  readonly #outcome = Promise.withResolvers<Deno.Conn>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #alerting: Promise<void> | undefined;
  #hasArrived = false;
  #started = false;
  #over = false;

  /** Takes over a connection, and waits for its client. */
  constructor(conn: Deno.TcpConn, certificate: ServerCertificate, events: HandshakeEvents) {
    this.#events = events;
    this.network = networkOf(addressOf(conn.remoteAddr));
    this.done = this.#outcome.promise;
    this.#tcp = conn;
    this.#certificate = certificate;
    this.#transport = new TlsTransport(conn, {
      pulled: () => this.#pulled(),
      ended: () => this.#ended(),
      failed: (cause) => this.#failed(cause),
      destroyed: () => this.#destroyed(),
      turnToEnd: () => events.turnToEnd(),
    });
    this.#timer = setTimeout(() => {
      this.abort(new Deno.errors.TimedOut("The handshake took too long"));
    }, certificate.handshakeTimeoutMs);
    this.#transport.pull(READ_BYTES);
  }

  /** Whether the client has sent something. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  /** Gives up and closes the socket, if the handshake is still under way. */
  abort(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#outcome.reject(cause);
    if (this.#alerting) void this.#alerting.then(() => this.#close());
    else this.#close();
  }

  #close(): void {
    this.#transport.closeSocket();
    if (this.#started) this.#conn!.close();
  }

  /** The runtime closes the socket of a client that sent no TLS, and tells it nothing. */
  #destroyed(): void {
    if (this.#over || this.#transport.hasWritten) this.#transport.closeSocket();
    else this.#alerting ??= this.#alert();
  }

  async #alert(): Promise<void> {
    try {
      await this.#tcp.write(ALERT);
    } catch {
      // The client has gone.
    }
    this.#transport.closeSocket();
  }

  /** Whether it is complete, or was given up. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Begins to answer. */
  begin(): void {
    const socket = new TLSSocket(this.#transport as never, {
      isServer: true,
      secureContext: this.#certificate.context,
    });
    socket.once("secure", () => this.#secured());
    handOnUncopied(socket);
    const conn = new NodeConn(socket, this.#transport);
    this.#conn = conn;
    // After the handshake the runtime emits no error for what cannot be decrypted, only this.
    socket.on("_tlsError", (cause) => conn.fail(cause));
    socket.once("error", (cause) => this.abort(cause));
    // The runtime starts the socket in its next tick, and crashes the program if it is destroyed, or
    // has failed, before that.
    setImmediate(() => this.#start());
  }

  #start(): void {
    this.#started = true;
    if (this.#over) return this.#conn!.close();
    this.#transport.start();
    this.#transport.pull(READ_BYTES);
  }

  #secured(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#conn!.keepAfterEnds();
    this.#outcome.resolve(this.#conn!);
  }

  #pulled(): void {
    if (this.#over) return this.#conn?.wake();
    if (this.#started) this.#transport.pull(READ_BYTES);
    else if (!this.#hasArrived) {
      this.#hasArrived = true;
      this.#events.arrived(this);
    }
  }

  #ended(): void {
    this.#conn?.end();
    this.abort(new Deno.errors.UnexpectedEof("The client closed the connection"));
  }

  #failed(cause: unknown): void {
    // A client that closes before it has read the session tickets resets the connection. As nothing
    // else was sent to it, it has missed nothing.
    if (cause instanceof Deno.errors.ConnectionReset && !this.#conn?.hasWritten) this.#conn?.end();
    else this.#conn?.fail(cause);
    this.abort(cause);
  }
}
