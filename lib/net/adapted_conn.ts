import { Condition } from "../base/condition.ts";
import { byteStream } from "./byte_stream.ts";
import { connWritable } from "./conn_writable.ts";

/** What lies under an {@linkcode AdaptedConn}. */
export interface ConnBase
  extends Pick<Deno.Conn, "localAddr" | "remoteAddr">, Pick<Deno.TcpConn, "ref" | "unref"> {
  /** Closes the socket at once, and frees its descriptor. */
  closeSocket(): void;
}

/**
 * A `Deno.Conn` made of something else that brings and takes bytes: how it ends and fails. As with any
 * connection, at most one read and one write are under way at a time.
 */
export abstract class AdaptedConn implements Deno.Conn {
  /** This end. */
  readonly localAddr: Deno.Addr;
  /** The peer's end. */
  readonly remoteAddr: Deno.Addr;
  readonly #base: ConnBase;
  #closed = false;
  #rejectWrite: ((cause: unknown) => void) | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  /** A read that waits goes on, to look at what there is. */
  protected readonly arrived = new Condition();
  /** Whether nothing more will arrive. */
  protected hasEnded = false;
  /** Why it broke. */
  protected failure: { readonly cause: unknown } | undefined;

  /** Takes over what lies under it. */
  protected constructor(base: ConnBase) {
    this.localAddr = base.localAddr;
    this.remoteAddr = base.remoteAddr;
    this.#base = base;
  }

  /** Reads some bytes; `null` at the end of stream. */
  abstract read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; resolves to how many. */
  abstract write(bytes: Uint8Array): Promise<number>;
  /** Says that no more will be sent. */
  abstract closeWrite(): Promise<void>;
  /** Called when it is closed, before the socket is: nothing is read any more. */
  protected abstract closing(): void;

  /** Whether it was closed here. */
  protected get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Closes it at once; a read or write that waits is rejected.
   *
   * @throws {Deno.errors.BadResource} if it was closed before.
   */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("The connection is closed");
    this.#closed = true;
    this.failure = undefined;
    this.fail(new Deno.errors.Interrupted("The connection was closed"));
    this.closing();
    this.#base.closeSocket();
  }

  /** Called when nothing more will arrive. */
  end(): void {
    this.hasEnded = true;
    this.arrived.notify();
  }

  /** Called when it broke: reads fail after all that arrived was read, writes fail at once. */
  fail(cause: unknown): void {
    this.failure ??= { cause };
    this.#rejectWrite?.(this.failure.cause);
    this.arrived.notify();
  }

  /** Keeps the event loop alive while it waits. */
  ref(): void {
    this.#base.ref();
  }

  /** Does not keep the event loop alive. */
  unref(): void {
    this.#base.unref();
  }

  /** The bytes that arrive. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= byteStream(this);
  }

  /** Takes the bytes to be sent; closing it closes the sending half. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= connWritable(this);
  }

  /** Closes it, if it is open. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  /** Starts to write; the promise is rejected, too, when the connection breaks or is closed meanwhile. */
  protected untilWritten<T>(
    start: (resolve: (value: T) => void, reject: (cause: unknown) => void) => void,
  ): Promise<T> {
    if (this.failure) return Promise.reject(this.failure.cause);
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      start(resolve, reject);
    });
  }
}
