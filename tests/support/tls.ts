/**
 * Certificates for tests, good until 2120: an authority, a server's certificate of it for
 * `localhost`, `127.0.0.1` and `::1`, and another authority that did not sign it; and the certificate
 * of a third authority that takes the place of the server's. A fourth one signed certificates that
 * clients refuse, each for another reason. The authorities' keys were thrown away.
 * They were made with `openssl ca -startdate 20200101000000Z -enddate 21200101000000Z` on prime256v1
 * keys.
 */
import { assertEquals } from "@std/assert";
import { dial, type DialOptions, type TcpAddress } from "../../lib/net/mod.ts";
import { deadline } from "./deadline.ts";

/** Where the files are. */
export const TLS_FILES = {
  ca: `${import.meta.dirname}/tls/ca.pem`,
  otherCa: `${import.meta.dirname}/tls/other_ca.pem`,
  cert: `${import.meta.dirname}/tls/server.pem`,
  key: `${import.meta.dirname}/tls/server.key`,
  nextCa: `${import.meta.dirname}/tls/next_ca.pem`,
  nextCert: `${import.meta.dirname}/tls/next.pem`,
  nextKey: `${import.meta.dirname}/tls/next.key`,
} as const;

/** What `listen` takes. */
export const SERVER_TLS: { readonly cert: string; readonly key: string } = {
  cert: Deno.readTextFileSync(TLS_FILES.cert),
  key: Deno.readTextFileSync(TLS_FILES.key),
};

/** The authority that signed it. */
export const CA: string = Deno.readTextFileSync(TLS_FILES.ca);

/** Dials with TLS, and trusts that authority. */
export const TRUSTING: DialOptions = { tls: { caCerts: [CA] } };

/** An authority that did not. */
export const OTHER_CA: string = Deno.readTextFileSync(TLS_FILES.otherCa);

/** The server's next certificate. */
export const NEXT_TLS: { readonly cert: string; readonly key: string } = {
  cert: Deno.readTextFileSync(TLS_FILES.nextCert),
  key: Deno.readTextFileSync(TLS_FILES.nextKey),
};

/** The authority that signed that one. */
export const NEXT_CA: string = Deno.readTextFileSync(TLS_FILES.nextCa);

/** What is wrong with a certificate that the authority {@linkcode ODD_CA} signed. */
export type Oddity =
  | "authority"
  | "client_only"
  | "expired"
  | "no_name"
  | "not_yet_valid"
  | "version_1";

/** The files of a certificate that clients refuse, and of its key. */
export function oddFiles(oddity: Oddity): { readonly cert: string; readonly key: string } {
  const folder = `${import.meta.dirname}/tls`;
  return { cert: `${folder}/odd_${oddity}.pem`, key: `${folder}/odd.key` };
}

/** The authority that signed them. */
export const ODD_CA: string = Deno.readTextFileSync(`${import.meta.dirname}/tls/odd_ca.pem`);

/** Fails unless an echo server with our certificate answers there. */
export async function assertEchoes(address: TcpAddress): Promise<void> {
  using conn = await deadline(dial(address, TRUSTING));
  await conn.write(Uint8Array.of(1, 2, 3));
  assertEquals(await deadline(conn.read(new Uint8Array(10))), 3);
}
