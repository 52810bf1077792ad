/**
 * The errors of Windows' sockets. Importing this module has `ConnectionError` know them.
 *
 * @module
 */
import { knowSystemNames } from "./connection_error.ts";
import "./known_errors.ts";

/**
 * Winsock's numbers of errors, by the names that other systems have for them. Windows describes
 * errors in the language of its user, so that only the number says which one it is. No other system
 * has errors of 10,000 and above.
 */
const WINDOWS: Readonly<Record<string, string>> = {
  10004: "EINTR",
  10009: "EBADF",
  10013: "EACCES",
  10022: "EINVAL",
  10024: "EMFILE",
  10038: "ENOTSOCK",
  10043: "EPROTONOSUPPORT",
  10045: "EOPNOTSUPP",
  10047: "EAFNOSUPPORT",
  10048: "EADDRINUSE",
  10049: "EADDRNOTAVAIL",
  10050: "ENETDOWN",
  10051: "ENETUNREACH",
  10052: "ENETRESET",
  10053: "ECONNABORTED",
  10054: "ECONNRESET",
  10055: "ENOBUFS",
  10057: "ENOTCONN",
  10058: "ESHUTDOWN",
  10060: "ETIMEDOUT",
  10061: "ECONNREFUSED",
  10064: "EHOSTDOWN",
  10065: "EHOSTUNREACH",
  11001: "ENOTFOUND",
  11002: "EAI_AGAIN",
  11003: "EAI_FAIL",
  11004: "EAI_NODATA",
};

/**
 * The name of an error of Windows' sockets, such as `ECONNRESET`, by the number in its message.
 *
 * @returns `undefined` if the message has no such number.
 */
export function windowsErrorName(message: string): string | undefined {
  const [, number] = /\(os error (\d+)\)/.exec(message) ?? [];
  return number !== undefined && Object.hasOwn(WINDOWS, number) ? WINDOWS[number] : undefined;
}

knowSystemNames(windowsErrorName);
