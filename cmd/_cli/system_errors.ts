import { windowsErrorName } from "../../lib/net/system_code.ts";
import { type TlsFinding, tlsFinding, type TlsProblem } from "../../lib/net/tls_problem.ts";

/**
 * Says in plain words what an error of the operating system means, and what helps.
 *
 * @param operation What was tried, on which the advice depends: `listen`, `connect`, `read`…
 * @param address Where, as users write it.
 * @param os The system on which it happened.
 * @returns `undefined` if it is no error of the system.
 */
export function explainSystemError(
  error: Error,
  operation?: string,
  address?: string,
  os: typeof Deno.build.os = Deno.build.os,
): string | undefined {
  const finding = tlsFinding(error.message);
  if (finding) return explainTls(finding);
  const code = codeOf(error);
  const isHandshake = operation === "tls-handshake";
  const isUnix = address?.startsWith("unix:") ?? false;
  switch (code) {
    case "EADDRINUSE":
      if (operation === "connect") return explainNoPort(operation, os);
      return isUnix
        ? "the path is in use: another server listens there (end it, or take another path)"
        : `the address is in use (another server runs there; ${freePort(address)})`;
    case "EADDRNOTAVAIL":
      if (operation === "connect") return explainNoPort(operation, os);
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
      if (operation !== "listen" || isUnix) return "permission denied";
      return os === "windows"
        ? "permission denied (the port is reserved, or another program has it for itself: " +
          `netsh interface ipv4 show excludedportrange protocol=tcp; ${freePort(address)})`
        : "permission denied (ports below 1024 need special rights; take a higher one)";
    case "EMFILE":
    case "ENFILE":
      return os === "windows"
        ? "the system has no room for more sockets (end programs that have many)"
        : "too many open files (raise the limit: ulimit -n 65536)";
    case "ENOBUFS":
      if (os === "windows" && operation === "connect") return explainNoPort(operation, os);
      return "the system has no memory for more sockets (end programs that have many)";
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
function explainTls({ problem, text }: TlsFinding): string {
  const advice = ADVICE[problem];
  return advice === undefined ? text : `${text} (${advice})`;
}

/** What a handshake that the other side does not answer may mean. */
const MAYBE_NOT_TLS = " (does it speak TLS? leave out --tls if not)";

/** How more ports are set aside for connections that begin here. */
const MORE_PORTS: Readonly<Record<string, string>> = {
  linux: "sysctl -w net.ipv4.ip_local_port_range='10000 65535'",
  darwin: "sysctl -w net.inet.ip.portrange.first=10000",
  windows: "netsh interface ipv4 set dynamicport tcp start=10000 num=55535",
};

/** Says that all ports of this machine are taken, and what helps. */
export function explainNoPort(
  operation: "listen" | "connect",
  os: typeof Deno.build.os = Deno.build.os,
): string {
  const what = operation === "connect"
    ? "this machine has no port left for another connection there"
    : "no port of this machine is free";
  const more = Object.hasOwn(MORE_PORTS, os) ? `, or widen the range: ${MORE_PORTS[os]}` : "";
  return `${what} (each connection takes one, and keeps it for a minute after its end, as TIME_WAIT: ` +
    `wait, open fewer${more})`;
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
  const known = windowsErrorName(message);
  if (known !== undefined) return known.startsWith("EAI_") ? "ENOTFOUND" : known;
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
