import { isIP } from "node:net";
import { setImmediate } from "node:timers";
import * as tls from "node:tls";
import { handOnUncopied } from "./encrypted_output.ts";
import { NodeConn } from "./node_conn.ts";
import { TlsTransport } from "./tls_transport.ts";

/** How much to read at a time during the handshake: a chain of certificates is rarely larger. */
const READ_BYTES = 8_192;

/** How certificates are checked. */
export interface Trust {
  /**
   * Certificates in PEM that are trusted instead of the system's. To trust both, the runtime would parse
   * all of the system's for each connection: 90 ms for 295 certificates.
   */
  readonly caCerts?: readonly string[] | undefined;
  /** Accept any certificate. */
  readonly insecure?: boolean | undefined;
}

/**
 * Makes TLS of a connection by `node:tls`, which works over any `Deno.Conn`, and can do without a
 * check of the certificate; the runtime's own TLS does neither.
 *
 * Resolves when the handshake is complete. When it fails or is aborted, the connection is closed.
 */
export async function startNodeTls(
  conn: Deno.Conn,
  serverName: string,
  trust: Trust,
  signal: AbortSignal,
): Promise<NodeConn> {
  const outcome = Promise.withResolvers<void>();
  // It may fail before anybody waits for it.
  outcome.promise.catch(() => {});
  let isSecure = false;
  const transport = new TlsTransport(conn, {
    pulled() {
      if (isSecure) secured.wake();
      else transport.pull(READ_BYTES);
    },
    ended() {
      secured.end();
      outcome.reject(new Deno.errors.UnexpectedEof("The server closed the connection"));
    },
    failed(cause) {
      secured.fail(cause);
      outcome.reject(cause);
    },
  });
  const socket = tls.connect({
    socket: transport as never,
    ...checksOf(trust),
    host: serverName,
    // An IP address cannot be asked for by name.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  });
  handOnUncopied(socket);
  const secured = new NodeConn(socket, transport);
  socket.once("secureConnect", () => {
    isSecure = true;
    secured.keepAfterEnds();
    outcome.resolve();
  });
  socket.on("_tlsError", (cause) => {
    secured.fail(cause);
    outcome.reject(cause);
  });
  socket.once("error", outcome.reject);
  const abort = () => outcome.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    // The runtime starts the socket in its next tick, and crashes the program if it is destroyed, or
    // has failed, before that.
    await new Promise<void>((resolve) => setImmediate(resolve));
    transport.start();
    transport.pull(READ_BYTES);
    await outcome.promise;
    return secured;
  } catch (error) {
    secured.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function checksOf({ insecure, caCerts }: Trust): tls.ConnectionOptions {
  if (insecure) return { rejectUnauthorized: false };
  if (!caCerts?.length) return {};
  return { ca: [...caCerts] };
}
