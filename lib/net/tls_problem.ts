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

/**
 * A pattern of what a runtime says of a problem, and the plain words for it. A function is given the
 * groups of the pattern.
 */
export type TlsSaying = readonly [
  pattern: RegExp,
  problem: TlsProblem,
  text: string | ((...groups: readonly (string | undefined)[]) => string),
];

let sayings: readonly TlsSaying[] = [];

/**
 * Sets the sayings by which problems are recognised; the first that fits counts. Code that uses TLS
 * calls it once. So clients for browsers, where TLS is not ours, are not loaded with all sayings.
 */
export function knowTlsSayings(known: readonly TlsSaying[]): void {
  sayings = known;
}

/** Recognises what the runtime said of TLS; `undefined` if it is not known. */
export function tlsFinding(message: string): TlsFinding | undefined {
  for (const [pattern, problem, text] of sayings) {
    const match = pattern.exec(message);
    if (match) return { problem, text: typeof text === "string" ? text : text(...match.slice(1)) };
  }
  return undefined;
}
