import type { UnixAddress } from "./address.ts";
import { ConnectionError } from "./connection_error.ts";
import type { Listener } from "./listener.ts";

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

/**
 * Listens on a Unix socket. The file that a dead server left behind is replaced.
 *
 * @param wantsTls Whether TLS is asked for, which is refused.
 * @param wrap Makes our listener of the runtime's; it is to call `closed` when it has been closed.
 * @throws {ConnectionError} with code `not-supported`
 * @throws what `Deno.listen` throws
 */
export async function listenUnix(
  path: string,
  wantsTls: boolean,
  wrap: (inner: Deno.Listener, closed: () => void) => Listener,
): Promise<Listener> {
  const address = { transport: "unix", path } as const;
  checkUnixSupport("listen", address);
  if (wantsTls) {
    const cause = new Error("TLS on a Unix socket is not supported");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
  let inner: Deno.UnixListener;
  try {
    inner = Deno.listen({ transport: "unix", path });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse) || !(await isStale(path))) throw error;
    await Deno.remove(path);
    inner = Deno.listen({ transport: "unix", path });
  }
  return wrap(inner, () => {
    if (isAbstract(address)) return;
    try {
      Deno.removeSync(path);
    } catch {
      // It was removed by somebody else.
    }
  });
}

/** Whether the file is a socket that nobody listens on. */
async function isStale(path: string): Promise<boolean> {
  if (isAbstract({ path })) return false;
  try {
    if (!(await Deno.lstat(path)).isSocket) return false;
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}
