import { type TlsFinding, type TlsProblem } from "../../lib/net/tls_problem.ts";

/** What helps the user of a client. What only the server can mend is not answered with a flag. */
const ADVICE: Readonly<Partial<Record<TlsProblem, string>>> = {
  "not-tls": "leave out --tls if it shall not",
  "is-tls": "connect with --tls",
  "untrusted": "--tls-ca FILE trusts an authority of your own",
  "wrong-name": "dial a name that it is for, or check for one with --tls-name",
  "no-name": "the server needs another: openssl, -addext subjectAltName=DNS:HOST,IP:ADDRESS",
  "expired": "the server needs a new one, or the clock of this machine is wrong",
  "not-yet-valid": "is the clock of this machine right?",
  "version-1": "the server needs another: openssl x509 -req makes version 3 with -extfile",
  "authority": "the server needs one of its own: openssl, -addext basicConstraints=CA:FALSE",
  "wrong-purpose": "the server needs another, for serverAuth",
};

/** Says what is wrong with TLS, and what helps. */
export function explainTls({ problem, text }: TlsFinding): string {
  const advice = ADVICE[problem];
  return advice === undefined ? text : `${text} (${advice})`;
}
