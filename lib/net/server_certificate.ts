import { createSecureContext, type SecureContext } from "node:tls";
import type { HandshakeLimits } from "./handshake_limits.ts";
import type { ServerTls } from "./listener.ts";
import "./tls_sayings.ts";

/** Where a certificate is tried out. */
const LOOPBACK = "127.0.0.1";

/** A server's certificate in the form that handshakes need, and their limits. */
export interface ServerCertificate extends HandshakeLimits {
  /** The certificate and its key. */
  readonly context: SecureContext;
}

/**
 * Checks the certificate of a server.
 *
 * @throws {Error} if the certificate or its key cannot be used, or they do not belong together.
 */
export function checkCertificate(tls: ServerTls, limits: HandshakeLimits): ServerCertificate {
  return { ...limits, context: tryCertificate(tls) };
}

/** Makes what handshakes need of a certificate and its key, or throws as `checkCertificate` does. */
export function tryCertificate({ cert, key }: ServerTls): SecureContext {
  // node:tls takes any text, and does not say what is wrong with it when each handshake fails.
  if (mayListen()) Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key }).close();
  return createSecureContext({ cert, key });
}

/** Whether the program may listen there. Does not make the runtime ask the user. */
function mayListen(): boolean {
  return Deno.permissions.querySync({ name: "net", host: LOOPBACK }).state === "granted";
}
