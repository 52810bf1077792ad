/**
 * Both ends of connections as tests need them: bare clients, and observers that keep what they were
 * told.
 */
import {
  type CloseReason,
  type Connection,
  type ConnectionError,
  dial,
  listen,
  type Listener,
} from "../../lib/net/mod.ts";
import type { Address, DialOptions, ServerObserver } from "../../lib/net/mod.ts";
import { ChunkDecoder, encodeFrame, type Frame, type FrameError } from "../../lib/frame/mod.ts";
import { jsonFrame, type OutgoingFrame } from "../../lib/frame/mod.ts";
import type { RequestObserver } from "../../lib/request/mod.ts";
import { deadline, until } from "./deadline.ts";
import { ownAddress } from "./own_address.ts";

/** A free port of this machine. */
export const LOOPBACK = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;

/** Listens where nobody else does, also after it was closed. */
export function listenLocally(): Promise<Listener> {
  return listen(ownAddress());
}

/** A bare client: sends any bytes, reads frames, or what else comes. */
export class RawClient implements Disposable {
  readonly conn: Deno.Conn;
  /** What broke the stream of answers, if something did. */
  error: FrameError | undefined;
  readonly #decoder = new ChunkDecoder();
  readonly #frames: Frame[] = [];
  #open = true;
  /** Most of what thousands of clients read is short. */
  #readBytes = 4_096;

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  static async connect(address: Address, options: DialOptions = {}): Promise<RawClient> {
    return new RawClient(await dial(address, options));
  }

  /** Sends all of it. */
  async send(...parts: readonly (Uint8Array | OutgoingFrame)[]): Promise<void> {
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : encodeFrame(part);
      for (let at = 0; at < bytes.length;) {
        at += await deadline(this.conn.write(bytes.subarray(at)), "a write");
      }
    }
  }

  /** Says that no more comes. */
  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** The next answer; `undefined` when the server closed, or the stream broke. */
  async answer(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && this.error === undefined) {
      const chunk = await this.chunk();
      if (chunk === undefined) {
        this.error = this.#decoder.end();
        return undefined;
      }
      const batch = this.#decoder.push(chunk);
      this.#frames.push(...batch.frames);
      this.error = batch.error;
    }
    return this.#frames.shift();
  }

  /** All answers until the server closes. */
  async answers(): Promise<Frame[]> {
    const all: Frame[] = [];
    for (let next = await this.answer(); next; next = await this.answer()) all.push(next);
    return all;
  }

  /** The next answer's content as JSON. */
  async json(): Promise<Record<string, unknown>> {
    const frame = await this.answer();
    if (!frame) throw new Error("the server closed instead of answering");
    return frame.json() as Record<string, unknown>;
  }

  /** What one read brings; `undefined` at the end. */
  async chunk(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(this.#readBytes);
    const count = await deadline(this.conn.read(buffer), "a read");
    if (count === buffer.length) this.#readBytes = Math.min(2 * count, 65_536);
    return count === null ? undefined : buffer.subarray(0, count);
  }

  /** Whether the server has closed, in order or by a reset; drops what comes before. */
  async closed(): Promise<boolean> {
    try {
      while (await this.chunk() !== undefined);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return true;
  }

  close(): void {
    if (this.#open) this.conn.close();
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Keeps what a server tells. */
export class Recorder implements ServerObserver, RequestObserver {
  readonly openedIds: number[] = [];
  readonly reasons: CloseReason[] = [];
  readonly errors: unknown[] = [];
  readonly acceptErrors: ConnectionError[] = [];
  readonly requestErrors: unknown[] = [];
  readonly frameErrors: FrameError[] = [];

  opened({ id }: Pick<Connection, "id">): void {
    this.openedIds.push(id);
  }
  closed(_: Pick<Connection, "id">, reason: CloseReason, error?: unknown): void {
    this.reasons.push(reason);
    if (error !== undefined) this.errors.push(error);
  }
  acceptFailed(error: ConnectionError): void {
    this.acceptErrors.push(error);
  }
  requestFailed(_: Connection, error: unknown): void {
    this.requestErrors.push(error);
  }
  frameFailed(_: Connection, error: FrameError): void {
    this.frameErrors.push(error);
  }

  /** Waits until so many connections have ended; returns why. */
  async ended(count: number): Promise<CloseReason[]> {
    await until(() => this.reasons.length >= count, `${count} connections ended`);
    return this.reasons;
  }
}

/** A service that sends back what comes, and ends when its peer does. */
export async function echo(connection: Connection): Promise<void> {
  const { input, output } = connection;
  while (await connection.read()) {
    output.buffer.append(input.bytes.subarray(input.start, input.end));
    input.consume(input.end - input.start);
    output.flush();
    await output.room();
  }
  await connection.finish("done", true);
}

/** The frame of a JSON request, as bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  return encodeFrame(jsonFrame(value));
}

/** A frame's bytes with a header that is given as it is. */
export function rawFrame(
  header: string | Uint8Array,
  content: string | Uint8Array = "",
): Uint8Array {
  const headerBytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const contentBytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const bytes = new Uint8Array(2 + headerBytes.length + contentBytes.length);
  new DataView(bytes.buffer).setUint16(0, headerBytes.length);
  bytes.set(headerBytes, 2);
  bytes.set(contentBytes, 2 + headerBytes.length);
  return bytes;
}
