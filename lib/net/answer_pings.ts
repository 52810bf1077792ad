// @ts-types="./ws.d.ts"
import type { WebSocket } from "ws";

/** The most bytes of a control frame (RFC 6455, 5.5). */
const MAX_PAYLOAD_BYTES = 125;

/**
 * Answers the pings of a peer, of which each repeats the ping's payload. While the socket has not taken
 * one answer, only the newest ping is remembered, and answered next (RFC 6455, 5.5.3): a peer that
 * sends pings and reads nothing costs two answers, however many it sends.
 */
export function answerPings(socket: WebSocket): void {
  let isSending = false;
  /** The payload of the newest ping, in memory of its own: pings lie in what was read, up to 64 KiB. */
  let newest: Uint8Array | undefined;
  let newestBytes = -1;
  const answer = (payload: Uint8Array) => {
    isSending = true;
    socket.pong(new Uint8Array(payload), undefined, sent);
  };
  const sent = () => {
    isSending = false;
    if (newestBytes < 0) return;
    const payload = newest!.subarray(0, newestBytes);
    newestBytes = -1;
    answer(payload);
  };
  socket.on("ping", (payload: Uint8Array) => {
    if (!isSending) return answer(payload);
    newest ??= new Uint8Array(MAX_PAYLOAD_BYTES);
    newest.set(payload);
    newestBytes = payload.length;
  });
}
