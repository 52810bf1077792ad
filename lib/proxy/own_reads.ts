import { Socket, type SocketConstructorOpts } from "node:net";
import { type Reader, ReadMemory } from "./read_memory.ts";
import type { Shared } from "./shared.ts";

/** What a socket is made with. While any byte waits to be taken by the system, there is no room. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, writableHighWaterMark: 1 };

/** The runtime's handle of a socket. */
interface Handle {
  /** Says what the next read goes into. */
  useUserBuffer?(memory: Uint8Array): void;
}

/**
 * A socket that is read into memory of its own, which Node's streams cannot do. It is closed in turns
 * with others, because all connections of a client may be lost in the same moment: thousands.
 */
export class OwnReads {
  /** The socket. It is paused, and to be resumed by {@linkcode resume} alone. */
  readonly socket: Socket;
  readonly shared: Shared;
  readonly #memory: ReadMemory;
  #read: Reader | undefined;
  #isPaused = true;
  /** What was read before there was a socket. */
  #first: Uint8Array | undefined;
  /** Whether a byte has come, though nobody may have got it yet. */
  hasRead = false;

  private constructor(
    shared: Shared,
    options: SocketConstructorOpts & { handle?: unknown } = {},
  ) {
    this.#memory = new ReadMemory(shared.reads, () => this.#move());
    const onread = {
      buffer: () => this.#memory.free,
      // What it returns says whether to read on.
      callback: (count: number) => {
        this.hasRead = true;
        return this.#memory.lend(count, this.#read!) && !this.#isPaused;
      },
    };
    this.socket = new Socket({ ...SOCKET_OPTIONS, ...options, onread });
    this.socket.pause();
    this.socket.once("close", () => this.#memory.release());
    closeInTurn(this.socket, shared);
    this.shared = shared;
  }

  /**
   * Makes a socket of the runtime's handle of a connection.
   *
   * @param first What was read from it already, no more than what one read has room for.
   */
  static accepted(handle: object, shared: Shared, first?: Uint8Array): OwnReads {
    const reads = new OwnReads(shared, { handle, pauseOnCreate: true } as object);
    reads.#first = first;
    reads.hasRead = first !== undefined;
    return reads;
  }

  /** Makes a socket that is not connected. */
  static unconnected(shared: Shared): OwnReads {
    return new OwnReads(shared);
  }

  /** Says who gets what is read. */
  listen(read: Reader): void {
    this.#read = read;
  }

  /** Reads on. */
  resume(): void {
    this.#isPaused = false;
    if (this.#memory.takeBack()) this.#move();
    // Not before this returns, as with what the socket reads.
    if (this.#first) queueMicrotask(() => this.#handOnFirst());
    else this.socket.resume();
  }

  /** Reads on, and leaves what was lent to who has it. */
  discard(): void {
    this.#memory.leave();
    this.#move();
    this.resume();
  }

  /** Reads no more. */
  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  #handOnFirst(): void {
    const first = this.#first;
    if (!first || this.#isPaused || this.socket.destroyed) return;
    this.#first = undefined;
    this.#memory.free.set(first);
    if (this.#memory.lend(first.length, this.#read!) && !this.#isPaused) this.resume();
  }

  /** Has the next read go into the memory that is free. Else it would go into what was free before. */
  #move(): void {
    const { _handle: handle } = this.socket as unknown as { readonly _handle: Handle | null };
    if (handle?.useUserBuffer) handle.useUserBuffer(this.#memory.free);
  }
}

/** The runtime and we destroy a socket by the same method, and its error is told when that is done. */
function closeInTurn(socket: Socket, shared: Shared): void {
  let isWaiting = false;
  socket.destroy = (error) => {
    if (isWaiting) return socket;
    const turn = shared.turns.takeToEnd();
    if (!turn) return Socket.prototype.destroy.call(socket, error);
    isWaiting = true;
    void turn.then(() => {
      isWaiting = false;
      Socket.prototype.destroy.call(socket, error);
    });
    return socket;
  };
}
