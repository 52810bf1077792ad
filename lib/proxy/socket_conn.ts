import type { Socket } from "node:net";
import { NodeConn } from "../net/node_conn.ts";

/** Makes a `Deno.Conn` of a socket of Node's that is connected over TCP. It can be reset. */
export function socketConn(socket: Socket): NodeConn {
  const conn = new NodeConn(socket, {
    localAddr: addrOf(socket.localAddress, socket.localPort),
    remoteAddr: addrOf(socket.remoteAddress, socket.remotePort),
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
    closeSocket: () => void socket.destroy(),
    resetSocket: () => void socket.resetAndDestroy(),
  });
  // It was accepted in a pause, and then listening alone does not make it flow.
  socket.resume();
  return conn;
}

function addrOf(hostname = "", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}
