import { Socket, type SocketConstructorOpts } from "node:net";
import { type Reader, ReadMemory } from "./read_memory.ts";

/** What a socket is made with. While any byte waits to be taken by the system, there is no room. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, writableHighWaterMark: 1 };

/** A socket that is read into memory of its own, which Node's streams cannot. */
export class OwnReads {
  /** The socket. It is paused, and to be resumed by {@linkcode resume} alone. */
  readonly socket: Socket;
  readonly #memory = new ReadMemory();
  #read: Reader | undefined;
  #isPaused = true;
  /** Whether a byte has come. */
  hasRead = false;

  private constructor(options: SocketConstructorOpts & { handle?: unknown }) {
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
  }

  /** Makes a socket of the runtime's handle of a connection. */
  static accepted(handle: object): OwnReads {
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
}
