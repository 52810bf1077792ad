import type { Address } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { readRaw } from "./raw_http.ts";

/** Opcodes of RFC 6455. */
export const OP = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** How a frame is written. */
export interface FrameOptions {
  /** @default {OP.binary} */
  readonly op?: number;
  /** @default {true} */
  readonly fin?: boolean;
  /** @default {true} */
  readonly masked?: boolean;
  /** The reserved bits. @default {0} */
  readonly rsv?: number;
}

/** A frame of a client. */
export function frameOf(payload: Uint8Array | string, options: FrameOptions = {}): Uint8Array {
  const { op = OP.binary, fin = true, masked = true, rsv = 0 } = options;
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const length = bytes.length < 126
    ? [bytes.length]
    : bytes.length < 65_536
    ? [126, bytes.length >> 8, bytes.length & 255]
    : [127, 0, 0, 0, 0, ...new Uint8Array(new Uint32Array([bytes.length]).buffer).reverse()];
  const mask = masked ? [1, 2, 3, 4] : [];
  const head = [(fin ? 128 : 0) | rsv << 4 | op, length[0]! | (masked ? 128 : 0)];
  const frame = Uint8Array.from([...head, ...length.slice(1), ...mask]);
  const whole = new Uint8Array(frame.length + bytes.length);
  whole.set(frame);
  whole.set(masked ? bytes.map((byte, i) => byte ^ mask[i % 4]!) : bytes, frame.length);
  return whole;
}

/** A frame of the server. */
export interface ReceivedFrame {
  readonly op: number;
  readonly payload: Uint8Array;
}

/** A WebSocket, frame by frame. */
export class RawWebSocket implements Disposable {
  readonly conn: Deno.Conn;
  #bytes = new Uint8Array(0);

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  /** Connects, and opens it. @returns The reply's status where that is not 101. */
  static async open(
    { address }: { readonly address: Address },
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawWebSocket> {
    const conn = await Deno.connect(address as Deno.ConnectOptions);
    conn.setNoDelay(true);
    const socket = new RawWebSocket(conn);
    const all = {
      "Host": "localhost",
      "Connection": "Upgrade",
      "Upgrade": "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    await socket.send(new TextEncoder().encode(`GET /ws HTTP/1.1\r\n${lines.join("")}\r\n`));
    const { status } = await socket.#readHead();
    if (status === 101) return socket;
    socket.conn.close();
    throw new Error(`answered ${status}`);
  }

  /** Sends bytes as they are. */
  async send(...all: readonly Uint8Array[]): Promise<void> {
    for (const bytes of all) {
      for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
    }
  }

  /** Sends a binary message. */
  async sendMessage(bytes: Uint8Array): Promise<void> {
    await this.send(frameOf(bytes));
  }

  /** The next frame; `undefined` at the end. */
  async frame(): Promise<ReceivedFrame | undefined> {
    if (!await this.#fill(2)) return undefined;
    const short = this.#bytes[1]! & 127;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (!await this.#fill(headBytes)) return undefined;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const length = short === 126 ? view.getUint16(2) : short === 127 ? view.getUint32(6) : short;
    if (!await this.#fill(headBytes + length)) return undefined;
    const op = this.#bytes[0]! & 15;
    const payload = this.#bytes.slice(headBytes, headBytes + length);
    this.#bytes = this.#bytes.slice(headBytes + length);
    return { op, payload };
  }

  /** The status of the Close frame that comes, past all others; `undefined` without one. */
  async closed(): Promise<number | undefined> {
    for (let frame; (frame = await deadline(this.frame(), "a frame")) !== undefined;) {
      if (frame.op === OP.close) return frame.payload[0]! << 8 | frame.payload[1]!;
    }
    return undefined;
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // It is closed.
    }
  }

  async #readHead() {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#bytes);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#bytes = this.#bytes.slice(end + 4);
        return readRaw(text.slice(0, end + 4));
      }
      if (!await this.#more()) return readRaw("");
    }
  }

  async #fill(bytes: number): Promise<boolean> {
    while (this.#bytes.length < bytes) if (!await this.#more()) return false;
    return true;
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(65_536);
    const count = await this.conn.read(chunk).catch(() => null);
    if (count === null) return false;
    const whole = new Uint8Array(this.#bytes.length + count);
    whole.set(this.#bytes);
    whole.set(chunk.subarray(0, count), this.#bytes.length);
    this.#bytes = whole;
    return true;
  }
}
