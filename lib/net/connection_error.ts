import { type Address, formatAddress } from "./address.ts";
import { tlsFinding, type TlsProblem } from "./tls_problem.ts";

/** The operation that failed. */
export type ConnectionOperation =
  | "listen"
  | "accept"
  | "connect"
  | "tls-handshake"
  | "read"
  | "write";

/**
 * Why it failed; the codes are the same on every operating system. Some that explain themselves less:
 *
 * - `no-free-port`: every local port that the connection or the listener could have is taken.
 * - `not-a-socket`: where a Unix socket should be, a file or a folder is.
 * - `bad-address`: the system cannot have such an address.
 */
export type ConnectionErrorCode =
  | "refused"
  | "reset"
  | "timed-out"
  | "unreachable"
  | "host-not-found"
  | "address-in-use"
  | "address-not-available"
  | "no-free-port"
  | "bad-address"
  | "not-a-socket"
  | "not-found"
  | "permission-denied"
  | "too-many-open-files"
  | "out-of-memory"
  | "tls"
  | "not-supported"
  | "closed"
  | "failed";

/**
 * A socket operation that failed. `cause` is the error of the runtime: of Deno, of `node:net` or
 * `node:tls`, or of a stream.
 */
export class ConnectionError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "ConnectionError";
  /** Why it failed. */
  readonly code: ConnectionErrorCode;
  /** Which operation failed. */
  readonly operation: ConnectionOperation;
  /**
   * The address: this side's for `listen` and `accept`, else the peer's. It is `undefined` for a
   * peer without an address, such as one that is reached by a pair of streams.
   */
  readonly address: Address | undefined;
  /** What is wrong with TLS, if the code is `tls` and that is known. */
  readonly tlsProblem: TlsProblem | undefined;

  /** Made by this library. Without a code, the code follows from the cause. */
  constructor(
    operation: ConnectionOperation,
    address: Address | undefined,
    cause: unknown,
    code: ConnectionErrorCode = codeOf(cause, operation),
  ) {
    const what = operation === "tls-handshake" ? "agree on TLS with" : VERBS[operation];
    const where = address ? formatAddress(address) : "the peer";
    const finding = code === "tls" ? tlsFinding(textOf(cause)) : undefined;
    super(`Cannot ${what} ${where}: ${finding?.text ?? reasonOf(code, cause)}`, { cause });
    this.code = code;
    this.tlsProblem = finding?.problem;
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
  "no-free-port": "no local port is free for it",
  "too-many-open-files": "too many files are open",
  "out-of-memory": "the system has no memory for it",
  "closed": "the connection is closed",
};

function reasonOf(code: ConnectionErrorCode, cause: unknown): string {
  return REASONS[code] ?? (textOf(cause).replace(/ \(os error \d+\)$/, "") || "it failed");
}

function textOf(cause: unknown): string {
  const { message } = new Object(cause) as { readonly message?: unknown };
  return typeof message === "string" ? message : typeof cause === "string" ? cause : "";
}

/** Codes by names: an error has one by its class, as in Deno and the Web, or as its own `code`. */
export type CodesByName = Readonly<Record<string, ConnectionErrorCode>>;

/** What is known of the errors of runtimes and systems. */
export interface KnownErrors {
  readonly byName: CodesByName;
  /** For errors that have neither a class nor a code of their own. */
  readonly byMessage: readonly (readonly [pattern: RegExp, code: ConnectionErrorCode])[];
  /** Names that count only if the message says nothing better. */
  readonly byVagueName: CodesByName;
}

/** The names of the Web. */
const WEB: CodesByName = {
  TimeoutError: "timed-out",
  AbortError: "closed",
};

let errors: KnownErrors = { byName: WEB, byMessage: [], byVagueName: {} };

/** Sets what else is known. Clients for browsers, where sockets are not ours, do without. */
export function knowErrors(more: KnownErrors): void {
  errors = { ...more, byName: { ...WEB, ...more.byName } };
}

let systemName: (message: string) => string | undefined = () => undefined;

/**
 * Sets what finds the name of an error, such as `ECONNRESET`, in a message that tells it otherwise.
 * Code that opens sockets calls it once; clients for browsers do without.
 */
export function knowSystemNames(nameIn: typeof systemName): void {
  systemName = nameIn;
}

/**
 * Finds the code. It looks at names, not at classes, so it works with errors of any runtime, and in
 * a browser.
 */
function codeOf(cause: unknown, operation: ConnectionOperation): ConnectionErrorCode {
  const { name, code, message } = new Object(cause) as Readonly<Record<string, unknown>>;
  const labels = [String(name), String(code), String(systemName(String(message)))];
  const certain = lookUp(errors.byName, labels) ??
    errors.byMessage.find(([pattern]) => pattern.test(String(message)))?.[1];
  if (certain) return certain;
  if (tlsFinding(textOf(cause))) return "tls";
  if (operation === "tls-handshake" || /^ERR_(SSL|TLS)_/.test(labels[1]!)) return "tls";
  return lookUp(errors.byVagueName, labels) ?? "failed";
}

function lookUp(
  table: CodesByName,
  labels: readonly string[],
): ConnectionErrorCode | undefined {
  const label = labels.find((each) => Object.hasOwn(table, each));
  return label === undefined ? undefined : table[label];
}
