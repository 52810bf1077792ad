import { connect, type Socket } from "node:net";
import { type Address, ConnectionError, type TcpAddress, type UnixAddress } from "../net/mod.ts";
import { asciiHost, isWebSocket } from "../net/address.ts";
import { diagnose } from "../net/diagnose.ts";
import { checkUnixSupport } from "../net/unix_socket.ts";
import type { Side } from "./side.ts";
import { SocketSide } from "./socket_side.ts";

/**
 * Connects to the upstream of a proxy. Closes the socket if it takes too long, or is aborted.
 *
 * @throws {ConnectionError} with operation `connect`
 */
export async function dialUpstream(
  address: Address,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Side> {
  if (address.transport === "unix") checkUnixSupport("connect", address);
  if (isWebSocket(address)) {
    const cause = new Error("a proxy hands on bytes: give the HTTP server's HOST:PORT");
    throw new ConnectionError("connect", address, cause, "not-supported");
  }
  const socket = connect({ ...whereOf(address), allowHalfOpen: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  const timer = setTimeout(
    () => reject(new ConnectionError("connect", address, undefined, "timed-out")),
    timeoutMs,
  );
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  socket.once("connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    return new SocketSide(socket, address.transport === "unix" ? address.path : undefined);
  } catch (cause) {
    destroyQuietly(socket);
    if (signal.aborted || cause instanceof ConnectionError) throw cause;
    throw await diagnose("connect", address, cause);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    socket.removeListener("error", reject);
  }
}

function whereOf(
  address: TcpAddress | UnixAddress,
): { path: string } | { host: string; port: number } {
  return address.transport === "unix"
    ? { path: address.path }
    : { host: asciiHost(address.hostname), port: address.port };
}

/** What the socket says after it was given up is of no interest. */
function destroyQuietly(socket: Socket): void {
  socket.on("error", () => {});
  socket.destroy();
}
