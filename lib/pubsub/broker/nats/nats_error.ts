import { ConnectionError } from "../../../net/mod.ts";
import { messageOf } from "../../../base/message_of.ts";
import { NatsRefusal } from "./wire/nats_connection.ts";

/**
 * What a {@linkcode NatsError} is about:
 *
 * - `unreachable`: no server of the cluster could be connected to.
 * - `unauthorized`: the cluster does not accept the credentials, or wants some.
 * - `unusable`: a server answers, but cannot be used: it speaks no NATS, or TLS fails.
 */
export type NatsErrorCode = "unreachable" | "unauthorized" | "unusable";

/** Why a broker could not become a gateway of a NATS cluster. */
export class NatsError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "NatsError";
  /** The condition. */
  readonly code: NatsErrorCode;

  /** Makes an error; nothing is thrown. */
  constructor(code: NatsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A server that could not be connected to, as `HOST:PORT`, and why. */
export interface ServerFailure {
  readonly server: string;
  readonly cause: unknown;
}

/** What says most about why none of several servers can be used, the first before the others. */
const CODES: readonly NatsErrorCode[] = ["unauthorized", "unusable", "unreachable"];

/** Why none of the servers could be connected to. The message has no credentials in it. */
export function connectFailure(failures: readonly ServerFailure[]): NatsError {
  const code = CODES.find((each) => failures.some(({ cause }) => codeOf(cause) === each)) ??
    "unreachable";
  const reasons = new Map<string, string[]>();
  for (const { server, cause } of failures) {
    if (codeOf(cause) !== code) continue;
    const reason = reasonOf(cause);
    reasons.set(reason, [...reasons.get(reason) ?? [], server]);
  }
  const parts = [...reasons].map(([reason, servers]) => `at ${servers.join(", ")}: ${reason}`);
  const { cause } = failures.find((each) => codeOf(each.cause) === code) ?? {};
  return new NatsError(code, `Cannot connect to NATS ${parts.join("; ")}`, { cause });
}

function codeOf(cause: unknown): NatsErrorCode {
  if (cause instanceof ConnectionError) return cause.code === "tls" ? "unusable" : "unreachable";
  const isAboutLogin = cause instanceof NatsRefusal &&
    /authorization|authentication|nkey|jwt|credential/i.test(cause.message);
  return isAboutLogin ? "unauthorized" : "unusable";
}

function reasonOf(cause: unknown): string {
  if (codeOf(cause) === "unauthorized") {
    return "it does not accept the credentials (--nats-creds FILE, or nats://USER:PASSWORD@HOST)";
  }
  const message = messageOf(cause);
  if (!(cause instanceof ConnectionError)) return message;
  // The address is said already.
  const reason = /^Cannot .*?:\d+: (.*)$/s.exec(message)?.[1] ?? message;
  return cause.tlsProblem === "untrusted" ? `${reason} (--nats-tls-ca FILE)` : reason;
}
