import type { Buffer } from "node:buffer";
// @ts-types="./ws.d.ts"
import { createWebSocketStream, type WebSocket } from "ws";
import { closeQuietly } from "../base/close_quietly.ts";
import { answerPings } from "./answer_pings.ts";
import type { ConnStream } from "./conn_stream.ts";
import { NodeConn } from "./node_conn.ts";
import type { WebSocketInput } from "./web_socket_input.ts";

/** A peer that does not answer the Close frame is waited for this long. */
const CLOSE_TIMEOUT_MS = 5_000;

/** What both sides of a WebSocket want of `ws`, and the bounds of what one message may take. */
export const WEB_SOCKET_OPTIONS = {
  // Compressing costs more time than it saves on the way, and memory for each connection.
  perMessageDeflate: false,
  // Bytes are cut anywhere, so no peer needs larger messages.
  maxPayload: 1_048_576,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
  // By itself it ends a peer that sends sixty pings at once, as one may: see `answerPings`.
  autoPong: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** The status of a Close frame for data of a kind that is not taken (RFC 6455, 7.4.1). */
const UNSUPPORTED_DATA = 1_003;

/**
 * Makes a connection of an open WebSocket: the bytes of its binary messages, wherever they are cut. A
 * text message ends it with the status 1003. As a WebSocket has no half-close, `closeWrite` begins to
 * close it as a whole: what the peer sends after that is not read.
 *
 * @param input Counts what waits to be read. Give it before anything can have come.
 */
export function webSocketConn(
  socket: WebSocket,
  under: ConnStream,
  input?: WebSocketInput,
): Deno.Conn {
  const stream = createWebSocketStream(socket);
  const [take] = socket.listeners("message") as [(data: Buffer, isBinary: boolean) => void];
  const onMessage = (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      input?.completed(data.length);
      return void take.call(socket, data, true);
    }
    socket.off("message", onMessage);
    socket.close(UNSUPPORTED_DATA, "only binary messages are taken");
  };
  socket.off("message", take);
  socket.on("message", onMessage);
  answerPings(socket);
  if (input) under.prependListener("data", (bytes: Uint8Array) => input.arrived(bytes));
  const { conn } = under;
  return new NodeConn(stream, {
    localAddr: conn.localAddr,
    remoteAddr: conn.remoteAddr,
    ref: () => void under.ref(),
    unref: () => void under.unref(),
    input,
    closeWrite() {
      socket.close();
    },
    closeSocket() {
      under.destroy();
      closeQuietly(conn);
    },
  });
}
