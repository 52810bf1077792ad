/**
 * What Deno and Node say of problems with TLS. Importing this module has {@linkcode tlsFinding} know it.
 *
 * @module
 */
import { knowTlsSayings, type TlsSaying } from "./tls_problem.ts";

/** What the runtime's TLS says; the first that fits counts. Groups are given to the text. */
const SAYINGS: readonly TlsSaying[] = [
  [/speaks TLS, and this side does not/, "is-tls", "it speaks TLS, and this side does not"],
  [
    /received corrupt message|received unexpected (handshake )?message: got \w+ when expecting (Server|Client)Hello/,
    "not-tls",
    "it does not speak TLS",
  ],
  [
    /UnknownIssuer|unable to verify the first certificate|unable to get (local )?issuer certificate|self-signed certificate/,
    "untrusted",
    "no authority that is trusted has signed its certificate",
  ],
  [
    /not valid for any names/,
    "no-name",
    "its certificate names no host: it has no subjectAltName",
  ],
  [
    /not valid for name "([^"]*)"(?:; certificate is only valid for (.*))?/,
    "wrong-name",
    (name, names) =>
      `its certificate is not for ${name}` +
      (names === undefined ? "" : `, only for ${plainNames(names)}`),
  ],
  [
    /does not match certificate's altnames: (?:Host: |IP: )([^ ]+?)\.? is not/,
    "wrong-name",
    (name) => `its certificate is not for ${name}`,
  ],
  [/NotValidForName/, "wrong-name", "its certificate is not for this name"],
  [
    /certificate expired(?:: .* not valid after (\d+))?|CertExpired|certificate has expired/,
    "expired",
    (seconds) => `its certificate expired${seconds === undefined ? "" : ` on ${dayOf(seconds)}`}`,
  ],
  [
    /certificate not valid yet(?:: .* not valid before (\d+))?|CertNotValidYet|certificate is not yet valid/,
    "not-yet-valid",
    (seconds) =>
      `its certificate is not valid yet${
        seconds === undefined ? "" : `, only from ${dayOf(seconds)}`
      }`,
  ],
  [
    /UnsupportedCertVersion/,
    "version-1",
    "its certificate is of version 1, and TLS clients want version 3",
  ],
  [
    /CaUsedAsEndEntity/,
    "authority",
    "its certificate is that of an authority (CA:TRUE), not of a server",
  ],
  [/extended key usage|InvalidPurpose/, "wrong-purpose", "its certificate is not for servers"],
  [/BadEncoding|BadDer|BER error/, "malformed", "a certificate cannot be read"],
  [
    /^No certificates found(?: in (caCerts\[\d+\]))?/,
    "no-certificate",
    (list) => `there is no certificate in PEM${list === undefined ? "" : ` in ${list}`}`,
  ],
  [/^No keys found/, "no-key", "there is no private key in PEM"],
  [
    /unable to decode key|failed to parse private key/i,
    "bad-key",
    "the private key cannot be read: it has a passphrase, or is of an unknown kind or size",
  ],
  [/KeyMismatch/, "key-mismatch", "the key does not belong to the certificate"],
  [
    /fatal alert: (UnknownCA|BadCertificate|CertificateUnknown|CertificateExpired|UnsupportedCertificate|CertificateRevoked)/,
    "distrusted",
    (alert) => `it does not accept this side's certificate (${alert})`,
  ],
  [
    /fatal alert: (HandshakeFailure|ProtocolVersion|InsufficientSecurity|NoApplicationProtocol)|(?:peer is incompatible|InappropriateHandshake\w*): (\w+)/,
    "disagreement",
    (alert, detail) => `it has no version or cipher of TLS that this side has (${alert ?? detail})`,
  ],
];

knowTlsSayings(SAYINGS);

/** `DnsName("localhost") or IpAddress(127.0.0.1)` as `localhost or 127.0.0.1`. */
function plainNames(names: string): string {
  return names.replace(/\w+\("?([^")]*)"?\)/g, "$1");
}

function dayOf(seconds: string): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? seconds : date.toISOString().slice(0, 10);
}
