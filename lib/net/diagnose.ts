import type { Address, UnixAddress } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";
import { windowsErrorName } from "./system_code.ts";

/** The most bytes of a Unix socket's path, or of an abstract name: what a `sockaddr_un` has room for. */
const MAX_PATH_BYTES = Deno.build.os === "linux" ? 107 : 103;

/**
 * Makes the error of a `listen` or `connect` that failed. Where the system says the same of different
 * causes, it looks which one it was.
 */
export async function diagnose(
  operation: "listen" | "connect",
  address: Address,
  cause: unknown,
): Promise<ConnectionError> {
  const found = address.transport === "unix"
    ? await diagnoseUnix(operation, address, cause)
    : diagnoseTcp(operation, address, cause);
  if (found === undefined) return new ConnectionError(operation, address, cause);
  const { code, reason } = found;
  const why = reason === undefined ? cause : new Error(reason, { cause });
  return new ConnectionError(operation, address, why, code);
}

/** A cause that was found. Without a reason, the code says enough. */
interface Finding {
  readonly code: ConnectionError["code"];
  readonly reason?: string;
}

async function diagnoseUnix(
  operation: "listen" | "connect",
  { path }: UnixAddress,
  cause: unknown,
): Promise<Finding | undefined> {
  const isAbstract = path.startsWith("\0");
  const bytes = new TextEncoder().encode(path).length - (isAbstract ? 1 : 0);
  if (bytes > MAX_PATH_BYTES) {
    const what = isAbstract ? "name" : "path";
    const reason = `the ${what} has ${bytes} bytes, and a Unix socket's has at most ` +
      MAX_PATH_BYTES;
    return { code: "bad-address", reason };
  }
  const { code } = new ConnectionError(operation, { transport: "unix", path }, cause);
  const mayBeAFile = code === (operation === "listen" ? "address-in-use" : "refused");
  if (!mayBeAFile || isAbstract) return undefined;
  const what = await whatIsThere(path);
  return what === undefined
    ? undefined
    : { code: "not-a-socket", reason: `there is ${what}, not a socket` };
}

/** `undefined` if it is a socket, or nobody knows. */
async function whatIsThere(path: string): Promise<string | undefined> {
  try {
    const { isFile, isDirectory, isSocket } = await Deno.stat(path);
    return isFile
      ? "a file"
      : isDirectory
      ? "a folder"
      : isSocket
      ? undefined
      : "a device or a pipe";
  } catch (error) {
    // A link that leads nowhere.
    return error instanceof Deno.errors.NotFound ? "a link that leads nowhere" : undefined;
  }
}

function diagnoseTcp(
  operation: "listen" | "connect",
  address: Exclude<Address, UnixAddress>,
  cause: unknown,
): Finding | undefined {
  const { hostname, port } = address;
  const { code } = new ConnectionError(operation, address, cause);
  if (/^fe[89ab][0-9a-f]:[^%]*$/i.test(hostname) && isInvalidArgument(cause)) {
    const reason = `a link-local address needs its interface, as in ${hostname}%eth0`;
    return { code: "bad-address", reason };
  }
  if (code === "address-not-available") {
    if (hostname.includes(":") && !canListen("::1")) {
      return { code: "bad-address", reason: "IPv6 is switched off on this machine" };
    }
    return operation === "connect" ? { code: "no-free-port" } : undefined;
  }
  if (operation === "connect") {
    // Windows says that the port in use is this side's, or that its table of them is full.
    return code === "address-in-use" || isWindowsTableFull(cause)
      ? { code: "no-free-port" }
      : undefined;
  }
  return port === 0 && code === "address-in-use" ? { code: "no-free-port" } : undefined;
}

function isWindowsTableFull(cause: unknown): boolean {
  return cause instanceof Error && windowsErrorName(cause.message) === "ENOBUFS";
}

function isInvalidArgument(cause: unknown): boolean {
  return (new Object(cause) as { readonly code?: unknown }).code === "EINVAL";
}

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.AddrNotAvailable);
  }
}
