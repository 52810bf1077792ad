import type { UnixAddress } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";

/** Whether it is an abstract name, which has no file. */
export function isAbstract({ path }: Pick<UnixAddress, "path">): boolean {
  return path.startsWith("\0");
}

/**
 * Makes sure that this system has such sockets.
 *
 * @throws {ConnectionError} with code `not-supported`
 */
export function checkUnixSupport(operation: "listen" | "connect", address: UnixAddress): void {
  const { os } = Deno.build;
  const lacking = os === "windows"
    ? "Unix sockets do not exist on Windows"
    : isAbstract(address) && os !== "linux" && os !== "android"
    ? "abstract Unix sockets exist only on Linux: take a path"
    : undefined;
  if (lacking === undefined) return;
  throw new ConnectionError(operation, address, new Error(lacking), "not-supported");
}
