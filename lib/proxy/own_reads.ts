import { Socket, type SocketConstructorOpts } from "node:net";

/** A socket has this much memory to be read into at first; the first read that fills it brings more. */
const FIRST_BYTES = 4_096;
const MOST_BYTES = 65_536;

/** Gets what was read: a view. Returns whether its memory may be read into again. */
export type Reader = (bytes: Uint8Array<ArrayBuffer>) => boolean;

/** What a socket is made with. While any byte waits to be taken by the system, there is no room. */
const OPTIONS = { allowHalfOpen: true, writableHighWaterMark: 1 };

/**
 * A socket that is read into one piece of memory, again and again. Memory that Node's streams make
 * for each read is collected late: at full speed, half a gigabyte of it lies about.
 */
export class OwnReads {
  /** The socket. It is paused, and to be resumed by {@linkcode resume} alone. */
  readonly socket: Socket;
  #memory = new Uint8Array(FIRST_BYTES);
  /** What is read into while the other memory is in use. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #read: Reader | undefined;
  #isPaused = true;

  private constructor(options: SocketConstructorOpts & { handle?: unknown }) {
    const onread = {
      buffer: () => this.#memory,
      callback: (count: number) => this.#took(count),
    };
    this.socket = new Socket({ ...OPTIONS, ...options, onread });
    this.socket.pause();
  }

  /** Takes over the connection of a socket that was accepted in a pause. */
  static adopt(accepted: Socket): OwnReads {
    // A server has no option for it: its sockets are made before anybody sees them.
    const holder = accepted as unknown as { _handle: unknown };
    const handle = holder._handle;
    holder._handle = null;
    return new OwnReads({ handle, pauseOnCreate: true } as object);
  }

  /** Makes a socket that is not connected. */
  static unconnected(): OwnReads {
    return new OwnReads({});
  }

  /** Says who gets what is read. */
  listen(read: Reader): void {
    this.#read = read;
  }

  /** Reads on. */
  resume(): void {
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Reads no more. */
  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  /** @returns whether to read on. */
  #took(count: number): boolean {
    const memory = this.#memory;
    const isFree = this.#read!(memory.subarray(0, count));
    if (!isFree) {
      this.#memory = this.#spare ?? new Uint8Array(memory.length);
      this.#spare = memory;
    }
    if (count === memory.length && this.#memory.length < MOST_BYTES) {
      this.#memory = new Uint8Array(MOST_BYTES);
    }
    return isFree && !this.#isPaused;
  }
}
