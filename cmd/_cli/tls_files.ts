import { importLater } from "../../lib/base/import_later.ts";
import { hostProblem } from "../../lib/net/address.ts";
import { resolveServerTls } from "../../lib/net/handshake_limits.ts";
import type { ClientTls, ServerTls } from "../../lib/net/mod.ts";
import { tlsFinding } from "../../lib/net/tls_problem.ts";
import "../../lib/net/tls_sayings.ts";
import type { Context } from "./command.ts";
import { lowerFirst } from "./describe_error.ts";
import { handshakesWithin, openFileLimit } from "./open_files.ts";
import { UsageError } from "./exit_code.ts";

/** A file of `--tls-cert`, `--tls-key` or `--tls-ca` that cannot be used. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
  readonly code = "bad-tls-file";
}

/**
 * Reads a server's certificate and key. Warns of a certificate that clients will refuse. As many
 * handshakes may be under way as files and connections permit.
 *
 * @throws {TlsFileError} if they hold no certificate and key that belong together.
 */
export async function readServerTls(
  { cert: certPath, key: keyPath }: { readonly cert: string; readonly key: string },
  maxConnections: number,
  { log }: Pick<Context, "log">,
): Promise<ServerTls> {
  const limit = openFileLimit();
  const tls = { cert: await Deno.readTextFile(certPath), key: await Deno.readTextFile(keyPath) };
  const { tryCertificate } = await importLater<
    typeof import("../../lib/net/server_certificate.ts")
  >(new URL("../../lib/net/server_certificate.ts", import.meta.url));
  try {
    tryCertificate(tls);
  } catch (cause) {
    throw new TlsFileError(describeBadPair(cause, certPath, keyPath), { cause });
  }
  const doubt = await doubtOf(tls.cert);
  if (doubt !== undefined) log.warn(`clients will refuse ${certPath}: ${doubt}`);
  const { maxHandshakes } = resolveServerTls(tls);
  return {
    ...tls,
    maxHandshakes: handshakesWithin(maxHandshakes, maxConnections, await limit),
  };
}

function describeBadPair(cause: unknown, certPath: string, keyPath: string): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const finding = tlsFinding(message);
  switch (finding?.problem) {
    case "key-mismatch":
      return `cannot use ${certPath} with ${keyPath}: the key does not belong to the certificate`;
    case "no-certificate":
      return `cannot use ${certPath}: it holds no certificate in PEM`;
    case "no-key":
      return `cannot use ${keyPath}: it holds no private key in PEM, or one with a passphrase`;
    case "bad-key":
      return `cannot use ${keyPath}: ${finding.text}`;
    case "version-1":
      return `cannot use ${certPath}: it is of version 1, and TLS clients want version 3 ` +
        "(openssl x509 -req makes that with -extfile)";
    default:
      return `cannot use ${certPath} with ${keyPath}: ${finding?.text ?? lowerFirst(message)}`;
  }
}

/** Why clients will refuse a certificate; `undefined` if nothing is known. */
async function doubtOf(cert: string): Promise<string | undefined> {
  const { X509Certificate } = await import("node:crypto");
  let read;
  try {
    read = new X509Certificate(cert);
  } catch {
    // The runtime serves it, so clients may judge it.
    return undefined;
  }
  const now = Date.now();
  if (Date.parse(read.validTo) < now) return `it expired on ${read.validTo}`;
  if (Date.parse(read.validFrom) > now) return `it is not valid before ${read.validFrom}`;
  if (!read.subjectAltName) {
    return "it names no host (openssl: -addext subjectAltName=DNS:HOST,IP:ADDRESS)";
  }
  if (read.ca) {
    return "it is that of an authority, not of a server " +
      "(openssl: -addext basicConstraints=CA:FALSE)";
  }
  return undefined;
}

/** Flags that say how a client uses TLS. */
export interface ClientTlsFlags {
  readonly tls: boolean;
  readonly "tls-ca": string | undefined;
  readonly "tls-name": string | undefined;
  readonly insecure: boolean;
}

/**
 * What the flags of a client ask for that uses TLS. Warns of `--insecure`.
 *
 * @throws {TlsFileError} if the file of `--tls-ca` holds no certificate, or one that cannot be read.
 * @throws {UsageError} if `--tls-name` is no host name.
 */
export async function readClientTls(
  flags: ClientTlsFlags,
  { log }: Pick<Context, "log">,
): Promise<ClientTls> {
  const { "tls-ca": ca, "tls-name": serverName, insecure } = flags;
  const problem = serverName === undefined ? undefined : hostProblem(serverName);
  if (problem !== undefined) throw new UsageError(`--tls-name: ${problem}`);
  if (insecure) {
    log.warn(
      "--insecure: the server's certificate is NOT checked; whoever answers can read and change " +
        "everything",
    );
  }
  const caCerts = ca === undefined ? undefined : [await readAuthorities(ca)];
  return { caCerts, serverName, insecure };
}

async function readAuthorities(path: string): Promise<string> {
  const text = await Deno.readTextFile(path);
  const certificates = text.match(
    /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs,
  ) ?? [];
  if (certificates.length === 0) {
    throw new TlsFileError(
      `cannot use ${path} for --tls-ca: it holds no certificate in PEM ` +
        "(openssl x509 -inform der -in FILE makes PEM of DER)",
    );
  }
  const { X509Certificate } = await import("node:crypto");
  for (const [i, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      const which = certificates.length === 1 ? "its certificate" : `certificate ${i + 1} in it`;
      const message = `cannot use ${path} for --tls-ca: ${which} cannot be read`;
      throw new TlsFileError(message, { cause });
    }
  }
  return text;
}
