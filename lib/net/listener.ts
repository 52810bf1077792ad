import type { Address } from "./address.ts";
import type { ConnectionError } from "./connection_error.ts";

/** TLS settings of a server: its certificate, and limits of its handshakes. */
export interface ServerTls {
  /** The certificate chain in PEM. */
  readonly cert: string;
  /** Its private key in PEM. */
  readonly key: string;
  /** Closes a client that has not completed its handshake after this time. @default {10_000} */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * How many handshakes may be under way, each with a file descriptor. One more waits until one is
   * complete. Where none is for 100 ms, one is given up: of the network (an IPv4 address, 64 bits of an
   * IPv6 one) with the most handshakes, the oldest that was not answered yet.
   *
   * @default {1_024}
   */
  readonly maxHandshakes?: number | undefined;
}

/** The TLS handshakes of a listener. */
export interface Handshakes {
  /** How many are under way. Their clients do not count as connections yet. */
  readonly pending: number;
  /** How many have failed since the start. */
  readonly failed: number;
  /**
   * Called for each handshake that fails, with operation `tls-handshake`. What it throws is reported.
   */
  onFailed: ((error: ConnectionError) => void) | undefined;
  /**
   * Uses another certificate and other limits for all clients from now on. Connections that are open
   * go on with theirs.
   *
   * @throws {ConnectionError} with operation `listen` and code `tls` if the certificate cannot be
   * used. Nothing is changed then.
   */
  renew(tls: ServerTls): Promise<void>;
}

/** Accepts connections on an address. */
export interface Listener extends Disposable {
  /** Where it listens, with the port that was chosen for port 0. */
  readonly address: Address;
  /** Whether its connections use TLS. */
  readonly secure: boolean;
  /** The handshakes, if its connections use TLS. */
  readonly handshakes?: Handshakes | undefined;
  /** Waits for the next connection. Rejects when the listener is closed. */
  accept(): Promise<Deno.Conn>;
  /** Stops listening. Connections that were accepted stay open. */
  close(): void;
}
