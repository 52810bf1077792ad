import { type Address, formatAddress } from "./address.ts";

/** What was being done to a socket when it failed. */
export type ConnectionOperation =
  | "listen"
  | "accept"
  | "connect"
  | "tls-handshake"
  | "read"
  | "write";

/** Why it failed, the same on every operating system. */
export type ConnectionErrorCode =
  | "refused"
  | "reset"
  | "timed-out"
  | "unreachable"
  | "host-not-found"
  | "address-in-use"
  | "address-not-available"
  | "not-found"
  | "permission-denied"
  | "too-many-open-files"
  | "tls"
  | "not-supported"
  | "closed"
  | "failed";

/** A socket operation that failed. `cause` is the error of the runtime. */
export class ConnectionError extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionError";
  /** Why it failed. */
  readonly code: ConnectionErrorCode;
  /** What was being done. */
  readonly operation: ConnectionOperation;
  /** On which address: the own one for listen and accept, else the peer's. */
  readonly address: Address;

  /** Made by the functions of this library. Without a code, it is found from the cause. */
  constructor(
    operation: ConnectionOperation,
    address: Address,
    cause: unknown,
    code: ConnectionErrorCode = codeOf(cause, operation),
  ) {
    const what = operation === "tls-handshake" ? "agree on TLS with" : VERBS[operation];
    super(`Cannot ${what} ${formatAddress(address)}: ${reasonOf(code, cause)}`, { cause });
    this.code = code;
    this.operation = operation;
    this.address = address;
  }
}

const VERBS = {
  listen: "listen on",
  accept: "accept a connection on",
  connect: "connect to",
  read: "read from",
  write: "write to",
};

const REASONS: Partial<Record<ConnectionErrorCode, string>> = {
  "refused": "the connection was refused",
  "reset": "the peer broke off the connection",
  "timed-out": "it took too long",
  "unreachable": "the network does not reach it",
  "host-not-found": "the host name is not known",
  "address-in-use": "the address is in use",
  "address-not-available": "this machine does not have that address",
  "too-many-open-files": "too many files are open",
  "closed": "the connection is closed",
};

function reasonOf(code: ConnectionErrorCode, cause: unknown): string {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return REASONS[code] ?? (detail.replace(/ \(os error \d+\)$/, "") || "it failed");
}

function codeOf(cause: unknown, operation: ConnectionOperation): ConnectionErrorCode {
  const { errors } = Deno;
  if (cause instanceof errors.ConnectionRefused) return "refused";
  if (
    cause instanceof errors.ConnectionReset || cause instanceof errors.ConnectionAborted ||
    cause instanceof errors.BrokenPipe || cause instanceof errors.NotConnected ||
    // TLS that was closed without saying so.
    cause instanceof errors.UnexpectedEof
  ) return "reset";
  if (cause instanceof errors.TimedOut) return "timed-out";
  if (cause instanceof errors.NetworkUnreachable) return "unreachable";
  if (cause instanceof errors.AddrInUse) return "address-in-use";
  if (cause instanceof errors.AddrNotAvailable) return "address-not-available";
  if (cause instanceof errors.PermissionDenied || cause instanceof errors.NotCapable) {
    return "permission-denied";
  }
  if (cause instanceof errors.BadResource || cause instanceof errors.Interrupted) return "closed";
  const message = cause instanceof Error ? cause.message : "";
  if (/too many open files/i.test(message)) return "too-many-open-files";
  if (/no route to host|unreachable/i.test(message)) return "unreachable";
  if (/failed to lookup address|nodename nor servname|no such host/i.test(message)) {
    return "host-not-found";
  }
  if (
    operation === "tls-handshake" || cause instanceof errors.InvalidData ||
    /certificate|handshake|KeyMismatch/i.test(message)
  ) {
    return "tls";
  }
  if (cause instanceof errors.NotFound) return "not-found";
  if (cause instanceof errors.NotSupported) return "not-supported";
  return "failed";
}
