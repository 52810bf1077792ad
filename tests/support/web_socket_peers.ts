/** Servers of WebSockets that do what a test says. */
import { closeQuietly } from "../../lib/base/close_quietly.ts";
import { type Address, byteStream, dial } from "../../lib/net/mod.ts";

/** A server to which WebSockets are opened. Disposing of it closes what is open. */
export interface WebSocketPeer extends AsyncDisposable {
  /** `ws://127.0.0.1:PORT/ws`. */
  readonly url: string;
}

/** Hands each WebSocket to a function once it is open. */
export function serveWebSockets(onOpen: (socket: WebSocket) => void): WebSocketPeer {
  const sockets = new Set<WebSocket>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    sockets.add(socket);
    socket.addEventListener("open", () => onOpen(socket));
    socket.addEventListener("close", () => sockets.delete(socket));
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}/ws`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await server.shutdown();
    },
  };
}

/** Opens WebSockets by hand, and hands on the connection below: it is read only if the test does. */
export function serveBareWebSockets(
  onOpen: (conn: Deno.Conn) => void = () => {},
): WebSocketPeer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const over = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      onOpen(await opened(conn));
    }
  })();
  return {
    url: `ws://127.0.0.1:${listener.addr.port}/ws`,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) closeQuietly(conn);
      await over;
    },
  };
}

async function opened(conn: Deno.Conn): Promise<Deno.Conn> {
  let head = "";
  const part = new Uint8Array(4_096);
  while (!head.endsWith("\r\n\r\n")) {
    head += new TextDecoder().decode(part.subarray(0, await conn.read(part) ?? 0));
  }
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1];
  const text = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", text));
  const answer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${btoa(String.fromCharCode(...hash))}\r\n\r\n`;
  await conn.write(new TextEncoder().encode(answer));
  return conn;
}

/** Carries the bytes of WebSockets to a server and back, as they come. */
export function bridgeTo(address: Address): WebSocketPeer {
  return serveWebSockets(async (socket) => {
    const conn = await dial(address);
    socket.onclose = () => closeQuietly(conn);
    let writing: Promise<unknown> = Promise.resolve();
    socket.onmessage = ({ data }) => {
      writing = writing.then(() => writeAll(conn, new Uint8Array(data))).catch(() =>
        socket.close()
      );
    };
    try {
      for await (const chunk of byteStream(conn)) socket.send(chunk as Uint8Array<ArrayBuffer>);
    } catch {
      // The client has closed it.
    }
    socket.close();
  });
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
