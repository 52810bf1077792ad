/**
 * What is used of the package `ws`. Its own types name all of Node's, which do not go with Deno's.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Limits that both sides have. */
interface SocketOptions {
  readonly perMessageDeflate?: boolean;
  /** The most bytes of a message. */
  readonly maxPayload?: number;
  /** The most fragments of a message. */
  readonly maxFragments?: number;
  /** The most chunks of an unfinished frame. */
  readonly maxBufferedChunks?: number;
  /** Whether each ping is answered at once. */
  readonly autoPong?: boolean;
  /** How long to wait for the peer's Close frame, in milliseconds. */
  readonly closeTimeout?: number;
}

/** How a client connects. */
interface ClientOptions extends SocketOptions {
  /** Gives the connection to use. */
  readonly createConnection?: () => Duplex;
  readonly handshakeTimeout?: number;
  readonly maxRedirects?: number;
}

/** A WebSocket. */
export class WebSocket extends EventEmitter {
  constructor(url: string, options?: ClientOptions);
  /** Says that it is closed. */
  close(code?: number, reason?: string): void;
  /** Sends a message; `onSent` is called when the socket has taken it, or failed. */
  send(bytes: Uint8Array, onSent: (error?: Error) => void): void;
  /** Answers a ping; `onSent` is called when the socket has taken the answer, or failed. */
  pong(payload: Uint8Array, isMasked: boolean | undefined, onSent: () => void): void;
  /** Closes the connection at once. */
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** The server's side. */
export class WebSocketServer extends EventEmitter {
  constructor(options: SocketOptions & { readonly noServer: true; readonly clientTracking: false });
  /** Answers a request for a WebSocket: by what is wrong with it, or by a WebSocket. */
  handleUpgrade(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    onOpen: (socket: WebSocket) => void,
  ): void;
}
