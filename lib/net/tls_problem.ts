/**
 * What can go wrong with TLS:
 *
 * - `not-tls`: the other side does not speak TLS.
 * - `is-tls`: the other side speaks TLS, and this side does not.
 * - `untrusted`: no authority that is trusted has signed the certificate.
 * - `wrong-name`: the certificate is for other names.
 * - `no-name`: the certificate names no host: it has no `subjectAltName`.
 * - `expired`, `not-yet-valid`: the certificate is not valid at this time.
 * - `version-1`: the certificate is of version 1, which TLS clients refuse.
 * - `authority`: the certificate is that of an authority (`CA:TRUE`), not of a server.
 * - `wrong-purpose`: the certificate is not for servers.
 * - `malformed`: the certificate, or one that is to be trusted, cannot be read.
 * - `no-certificate`, `no-key`: a text that should hold one in PEM holds none.
 * - `bad-key`: the private key cannot be read.
 * - `key-mismatch`: the key does not belong to the certificate.
 * - `distrusted`: the other side does not trust the certificate of this one.
 * - `disagreement`: the sides have no version or cipher of TLS in common.
 */
export type TlsProblem =
  | "not-tls"
  | "is-tls"
  | "untrusted"
  | "wrong-name"
  | "no-name"
  | "expired"
  | "not-yet-valid"
  | "version-1"
  | "authority"
  | "wrong-purpose"
  | "malformed"
  | "no-certificate"
  | "no-key"
  | "bad-key"
  | "key-mismatch"
  | "distrusted"
  | "disagreement";

/** A problem, and a text that says it, as the end of a sentence. */
export interface TlsFinding {
  readonly problem: TlsProblem;
  readonly text: string;
}

type Says = string | ((...groups: readonly (string | undefined)[]) => string);

/** What the runtime's TLS says; the first that fits counts. Groups are given to the text. */
const SAYINGS: readonly (readonly [pattern: RegExp, problem: TlsProblem, text: Says])[] = [
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

/** Recognises what the runtime said of TLS; `undefined` if it is not known. */
export function tlsFinding(message: string): TlsFinding | undefined {
  for (const [pattern, problem, text] of SAYINGS) {
    const match = pattern.exec(message);
    if (match) return { problem, text: typeof text === "string" ? text : text(...match.slice(1)) };
  }
  return undefined;
}

/** `DnsName("localhost") or IpAddress(127.0.0.1)` as `localhost or 127.0.0.1`. */
function plainNames(names: string): string {
  return names.replace(/\w+\("?([^")]*)"?\)/g, "$1");
}

function dayOf(seconds: string): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? seconds : date.toISOString().slice(0, 10);
}
