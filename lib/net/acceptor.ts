import { ConnectionError } from "./connection_error.ts";
import type { Listener } from "./listen.ts";
import type { Turns } from "./turns.ts";

/** Pauses while the process has no descriptor or no memory left, in milliseconds: first, longest. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

/**
 * More failures in a row than a kernel's queue holds connections are not the fault of their peers:
 * something else is wrong, and lasts.
 */
const MAX_FAILED_PEERS = 65_536;

/**
 * After this many connections within so many milliseconds others may have their turn. Without it, a
 * client of a server to which two processes connect and reset all the time waited up to 220 ms for
 * an echo; with it 14 ms.
 */
const TURN_ACCEPTS = 32;
const TURN_MS = 32;

/**
 * Accepts connections one after the other. An accept that fails because its peer is gone is followed
 * by the next at once. When the process has no descriptor or no memory left, it pauses, longer each
 * time.
 */
export class Acceptor {
  readonly #listener: Listener;
  readonly #turns: Turns;
  readonly #onFailed: (error: ConnectionError) => void;
  #stopped = false;
  #pauseMs = FIRST_PAUSE_MS;
  #failedPeers = 0;
  #acceptsSinceTurn = 0;
  #turnAt = -Infinity;
  #wake: (() => void) | undefined;

  /** Takes over the listener. Each failure is told to `onFailed`, which must not throw. */
  constructor(listener: Listener, turns: Turns, onFailed: (error: ConnectionError) => void) {
    this.#listener = listener;
    this.#turns = turns;
    this.#onFailed = onFailed;
  }

  /** The next connection; `undefined` when there will be none. Never rejects. */
  async next(): Promise<Deno.Conn | undefined> {
    while (!this.#stopped) {
      if (++this.#acceptsSinceTurn >= TURN_ACCEPTS) await this.#takeTurn();
      try {
        const conn = await this.#listener.accept();
        this.#failedPeers = 0;
        this.#pauseMs = FIRST_PAUSE_MS;
        return conn;
      } catch (cause) {
        if (this.#stopped) break;
        const error = new ConnectionError("accept", this.#listener.address, cause);
        this.#onFailed(error);
        // Somebody else closed the listener.
        if (error.code === "closed") break;
        if (isOfProcess(error) || ++this.#failedPeers >= MAX_FAILED_PEERS) await this.#pause();
      }
    }
    return undefined;
  }

  /** Closes the listener; a call of {@linkcode Acceptor.next} that waits ends. */
  stop(): void {
    this.#stopped = true;
    this.#listener.close();
    this.#wake?.();
  }

  async #takeTurn(): Promise<void> {
    const now = performance.now();
    const busy = now - this.#turnAt < TURN_MS;
    this.#turnAt = now;
    this.#acceptsSinceTurn = 0;
    if (busy) await this.#turns.take();
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#pauseMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function isOfProcess({ code }: ConnectionError): boolean {
  return code === "too-many-open-files" || code === "out-of-memory";
}
