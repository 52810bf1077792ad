import { Socket, type SocketConstructorOpts } from "node:net";
import { type Reader, ReadMemory } from "./read_memory.ts";

/** What a socket is made with. While any byte waits to be taken by the system, there is no room. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, writableHighWaterMark: 1 };

/** What to wait for before the end of a connection is dealt with; `undefined` if there is nothing. */
export type TurnToEnd = () => Promise<void> | undefined;

/**
 * A socket that is read into memory of its own, which Node's streams cannot, and that is closed in turns
 * with others: of a client that is lost with thousands of connections all are, in the same moment.
 */
export class OwnReads {
  /** The socket. It is paused, and to be resumed by {@linkcode resume} alone. */
  readonly socket: Socket;
  /** What its end waits for. */
  readonly turnToEnd: TurnToEnd;
  readonly #memory = new ReadMemory();
  #read: Reader | undefined;
  #isPaused = true;
  /** Whether a byte has come. */
  hasRead = false;

  private constructor(
    turnToEnd: TurnToEnd,
    options: SocketConstructorOpts & { handle?: unknown } = {},
  ) {
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
    closeInTurn(this.socket, turnToEnd);
    this.turnToEnd = turnToEnd;
  }

  /** Makes a socket of the runtime's handle of a connection. */
  static accepted(handle: object, turnToEnd: TurnToEnd): OwnReads {
    return new OwnReads(turnToEnd, { handle, pauseOnCreate: true } as object);
  }

  /** Makes a socket that is not connected. */
  static unconnected(turnToEnd: TurnToEnd): OwnReads {
    return new OwnReads(turnToEnd);
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

/** The runtime and we destroy a socket by the same method, and its error is told when that is done. */
function closeInTurn(socket: Socket, turnToEnd: TurnToEnd): void {
  let isWaiting = false;
  socket.destroy = (error) => {
    if (isWaiting) return socket;
    const turn = turnToEnd();
    if (!turn) return Socket.prototype.destroy.call(socket, error);
    isWaiting = true;
    void turn.then(() => {
      isWaiting = false;
      Socket.prototype.destroy.call(socket, error);
    });
    return socket;
  };
}
