import { concat } from "@std/bytes";
import { byteStream } from "../net/byte_stream.ts";
import { connWritable } from "../net/conn_writable.ts";
import type { OwnReads } from "./own_reads.ts";

const NOTHING = new Uint8Array(0);

/** A read that waits for bytes. */
interface Waiting extends PromiseWithResolvers<number | null> {
  readonly into: Uint8Array;
}

/**
 * A socket of Node's, connected over TCP, as a `Deno.Conn` that can be reset. It reads nothing that
 * was not asked for.
 */
export class SocketConn implements Deno.Conn {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  readonly #reads: OwnReads;
  /** What a read had no room for. It is lent. */
  #rest: Uint8Array = NOTHING;
  #waiting: Waiting | undefined;
  #rejectWrite: ((cause: unknown) => void) | undefined;
  #hasEnded = false;
  #failure: { readonly cause: unknown } | undefined;
  #isClosed = false;

  /** Takes over a socket. */
  constructor(reads: OwnReads) {
    const { socket } = reads;
    this.#reads = reads;
    this.localAddr = addrOf(socket.localAddress, socket.localPort);
    this.remoteAddr = addrOf(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    reads.listen((bytes) => this.#arrived(bytes));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#ended());
    socket.on("error", (cause) => this.#failed(cause));
  }

  read(into: Uint8Array): Promise<number | null> {
    const part = this.#rest.subarray(0, into.length);
    if (part.length > 0) {
      into.set(part);
      this.#rest = this.#rest.subarray(part.length);
      return Promise.resolve(part.length);
    }
    if (this.#failure) return Promise.reject(this.#failure.cause);
    if (this.#hasEnded) return Promise.resolve(null);
    this.#waiting = { ...Promise.withResolvers<number | null>(), into };
    this.#reads.resume();
    return this.#waiting.promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure.cause);
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#reads.socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.cause);
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#reads.socket.end(resolve);
    });
  }

  close(): void {
    if (this.#isClosed) throw new Deno.errors.BadResource("The connection is closed");
    this.#isClosed = true;
    this.#rest = NOTHING;
    this.#failed(new Deno.errors.Interrupted("The connection was closed"));
    this.#reads.socket.destroy();
  }

  reset(): void {
    if (!this.#isClosed) this.#reads.socket.resetAndDestroy();
  }

  ref(): void {
    this.#reads.socket.ref();
  }

  unref(): void {
    this.#reads.socket.unref();
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return byteStream(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return connWritable(this);
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.close();
  }

  /** @returns whether the memory may be read into again. */
  #arrived(bytes: Uint8Array): boolean {
    this.#reads.pause();
    if (!this.#waiting) {
      // The runtime may read once more after a pause.
      if (this.#rest.length > 0) this.#rest = concat([this.#rest, bytes]);
      else this.#rest = bytes;
      return this.#rest !== bytes;
    }
    const { into, resolve } = this.#waiting;
    const part = bytes.subarray(0, into.length);
    into.set(part);
    this.#rest = bytes.subarray(part.length);
    this.#waiting = undefined;
    resolve(part.length);
    return this.#rest.length === 0;
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
  }

  #failed(cause: unknown): void {
    this.#failure ??= { cause };
    this.#waiting?.reject(this.#failure.cause);
    this.#waiting = undefined;
    this.#rejectWrite?.(this.#failure.cause);
  }
}

function addrOf(hostname = "", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}
