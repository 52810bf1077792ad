import { type Address, formatAddress } from "../../lib/net/address.ts";
import { explainNoPort, explainSystemError } from "./system_errors.ts";

/**
 * Says in one line what was tried, on which address, what happened, and what helps.
 *
 * Errors of the library are recognised by their fields. `operation` and `address` give the first
 * half of the line, the system's error in the chain of causes gives the second. The message of an
 * error with a `code` of its own is good as it is.
 *
 * @param doing What was tried, where the error does not know it: "read notes.json".
 */
export function describeError(error: unknown, doing?: string): string {
  if (!(error instanceof Error)) return lead(doing) + String(error);
  // What failed at the clean-up may follow from what failed before it.
  if (error instanceof SuppressedError) return describeError(error.suppressed, doing);
  const { operation, address } = error as { operation?: unknown; address?: unknown };
  const tried = doing ?? triedBy(operation, address);
  if (operation === undefined && hasOwnCode(error)) return ownMessage(error);
  const found = explainFinding(error);
  if (found !== undefined) return lead(tried) + found;
  const verb = typeof operation === "string" ? operation : doing?.split(" ")[0];
  const where = addressText(address) ?? /\S+:\S+$/.exec(doing ?? "")?.[0];
  // An error that does not say what was tried is explained by its own message, not by its causes.
  const chain = tried === undefined ? [error] : withCauses(error);
  // The deepest cause is the system's own error, and the most precise.
  for (const cause of chain.reverse()) {
    const explained = explainSystemError(cause, verb, where);
    if (explained !== undefined) return lead(tried ?? fileOperation(cause)) + explained;
  }
  const message = ownMessage(error);
  return doing === undefined || message.startsWith("cannot ") ? message : lead(doing) + message;
}

/** What the library found out about a `listen` or `connect` by itself, and what helps. */
function explainFinding(error: Error): string | undefined {
  const { code, operation, address, cause } = error as {
    readonly code?: unknown;
    readonly operation?: unknown;
    readonly address?: unknown;
    readonly cause?: unknown;
  };
  if (operation !== "listen" && operation !== "connect") return undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  switch (code) {
    case "no-free-port":
      return explainNoPort(operation);
    case "not-a-socket":
      return `${reason} (${
        operation === "listen" ? "take another path" : "give a server's socket"
      })`;
    case "bad-address": {
      const isPath = addressText(address)?.startsWith("unix:");
      return isPath ? `${reason} (take a shorter one, or a relative path)` : reason;
    }
    default:
      return undefined;
  }
}

function withCauses(error: Error): Error[] {
  const chain: Error[] = [];
  // Stops at an error that is its own cause.
  for (let e: unknown = error; e instanceof Error && !chain.includes(e); e = e.cause) chain.push(e);
  return chain;
}

/** The library's codes are in lower case, the system's in upper case. */
function hasOwnCode(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[a-z]/.test(code);
}

const OPERATIONS: Readonly<Record<string, string>> = {
  listen: "listen on",
  connect: "connect to",
  accept: "accept a connection on",
  read: "read from",
  write: "write to",
  "tls-handshake": "agree on TLS with",
};

function triedBy(operation: unknown, address: unknown): string | undefined {
  if (typeof operation !== "string") return undefined;
  const verb = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : operation;
  const where = addressText(address);
  return where === undefined ? verb : `${verb} ${where}`;
}

/** Deno ends a file error's message with what it did: `…: readfile '/etc/nothing'`. */
function fileOperation(error: Error): string | undefined {
  const [, operation, path] = /: (\w+) '([^']*)'/.exec(error.message) ?? [];
  if (operation === undefined) return undefined;
  const verb = Object.hasOwn(FILE_OPERATIONS, operation) ? FILE_OPERATIONS[operation] : operation;
  return `${verb} ${path}`;
}

const FILE_OPERATIONS: Readonly<Record<string, string>> = {
  readfile: "read",
  readdir: "read the folder",
  writefile: "write",
  mkdir: "make the folder",
  stat: "find",
  lstat: "find",
  realpath: "find",
};

/** An address, or the text of one, as users write it; `undefined` if it is neither. */
export function addressText(address: unknown): string | undefined {
  if (typeof address === "string") return address;
  if (typeof address !== "object" || address === null) return undefined;
  return "transport" in address ? formatAddress(address as Address) : undefined;
}

function lead(tried: string | undefined): string {
  return tried === undefined ? "" : `cannot ${tried}: `;
}

function ownMessage(error: Error): string {
  return lowerFirst(error.message === "" ? error.name : error.message);
}

/** The library's messages start with a capital, as sentences do; here they follow "error:". */
export function lowerFirst(message: string): string {
  return message.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase());
}
