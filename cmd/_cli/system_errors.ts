import { tlsFinding } from "../../lib/net/tls_problem.ts";
import { explainTls } from "./tls_advice.ts";

/**
 * Says in plain words what an error of the operating system means, and what helps.
 *
 * @param operation What was tried, on which the advice depends: `listen`, `connect`, `read`…
 * @param address Where, as users write it.
 * @returns `undefined` if it is no error of the system.
 */
export function explainSystemError(
  error: Error,
  operation?: string,
  address?: string,
): string | undefined {
  const finding = tlsFinding(error.message);
  if (finding) return explainTls(finding);
  const code = codeOf(error);
  const isHandshake = operation === "tls-handshake";
  const isUnix = address?.startsWith("unix:") ?? false;
  switch (code) {
    case "EADDRINUSE":
      return isUnix
        ? "the path is in use: another server listens there (end it, or take another path)"
        : `the address is in use (another server runs there; ${freePort(address)})`;
    case "EADDRNOTAVAIL":
      if (operation === "connect") return explainNoPort(operation);
      return "no network interface has this address (127.0.0.1 is this machine only, " +
        "0.0.0.0 and [::] are all its interfaces)";
    case "ECONNREFUSED":
      return "the connection was refused (no server listens there)";
    case "ECONNRESET":
      return `the other side reset the connection${isHandshake ? MAYBE_NOT_TLS : ""}`;
    case "ECONNABORTED":
      return "the connection was aborted";
    case "EPIPE":
      return "the other side has closed the connection";
    case "ETIMEDOUT":
      return operation === "connect"
        ? "no answer in time (a firewall, a wrong address, or a machine that is off)"
        : `no answer in time${isHandshake ? MAYBE_NOT_TLS : ""}`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "no route leads there (check the address and the network)";
    case "ENOTFOUND":
      return "there is no host of this name";
    case "EACCES":
    case "EPERM":
      return operation === "listen" && !isUnix
        ? "permission denied (ports below 1024 need special rights; take a higher one)"
        : "permission denied";
    case "EMFILE":
    case "ENFILE":
      return "too many open files (raise the limit: ulimit -n 65536)";
    case "ENOENT":
      if (isUnix && operation === "connect") return "no server listens there (no such path)";
      return isUnix ? "the folder does not exist" : "no such file or folder";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "a part of the path is no folder";
    case "EEXIST":
      return "it already exists";
    case "ENOSPC":
      return "no space is left on the device";
    case "EROFS":
      return "the file system is read-only";
    case "NOTCAPABLE":
      return `${error.message.replace(/, run again.*$/s, "")} (run Deno with -A)`;
    case "EOF":
      return `the other side closed the connection too early${isHandshake ? MAYBE_NOT_TLS : ""}`;
    default:
      return undefined;
  }
}

/** What a handshake that the other side does not answer may mean. */
const MAYBE_NOT_TLS = " (does it speak TLS? leave out --tls if not)";

/** Says that all ports of this machine are taken, and what helps. */
export function explainNoPort(operation: "listen" | "connect"): string {
  const what = operation === "connect"
    ? "this machine has no port left for another connection there"
    : "no port of this machine is free";
  return `${what} (each connection takes one, and keeps it for a minute after its end, as TIME_WAIT: ` +
    "wait, open fewer, or widen the range: sysctl -w net.ipv4.ip_local_port_range='10000 65535')";
}

/** The address with port 0, for which the system picks a free port. */
function freePort(address: string | undefined): string {
  const free = address?.replace(/:\d+$/, ":0") ?? "HOST:0";
  return `${free} takes a free port`;
}

/** The error's POSIX name, also where Deno gives only a class or a message. */
function codeOf(error: Error): string | undefined {
  const { code, message } = error as Error & { code?: unknown };
  if (error instanceof Deno.errors.NotCapable) return "NOTCAPABLE";
  if (/failed to lookup address information|nodename nor servname|no such host/i.test(message)) {
    return "ENOTFOUND";
  }
  // Codes in lower case are the library's, whose messages need no explanation.
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return code;
  for (const [Class, name] of CLASSES) if (error instanceof Class) return name;
  if (error.name === "TimeoutError") return "ETIMEDOUT";
  return typeof code === "string" && Object.hasOwn(LIBRARY, code) ? LIBRARY[code] : undefined;
}

/** Codes of a `ConnectionError`, for those that no error of the system caused. */
const LIBRARY: Readonly<Record<string, string>> = {
  "refused": "ECONNREFUSED",
  "reset": "ECONNRESET",
  "timed-out": "ETIMEDOUT",
  "unreachable": "EHOSTUNREACH",
  "host-not-found": "ENOTFOUND",
  "address-in-use": "EADDRINUSE",
  "address-not-available": "EADDRNOTAVAIL",
  "too-many-open-files": "EMFILE",
};

const CLASSES: readonly (readonly [new (message?: string) => Error, string])[] = [
  [Deno.errors.AddrInUse, "EADDRINUSE"],
  [Deno.errors.AddrNotAvailable, "EADDRNOTAVAIL"],
  [Deno.errors.ConnectionRefused, "ECONNREFUSED"],
  [Deno.errors.ConnectionReset, "ECONNRESET"],
  [Deno.errors.ConnectionAborted, "ECONNABORTED"],
  [Deno.errors.BrokenPipe, "EPIPE"],
  [Deno.errors.TimedOut, "ETIMEDOUT"],
  [Deno.errors.NetworkUnreachable, "ENETUNREACH"],
  [Deno.errors.PermissionDenied, "EACCES"],
  [Deno.errors.NotFound, "ENOENT"],
  [Deno.errors.IsADirectory, "EISDIR"],
  [Deno.errors.NotADirectory, "ENOTDIR"],
  [Deno.errors.AlreadyExists, "EEXIST"],
  [Deno.errors.UnexpectedEof, "EOF"],
];
