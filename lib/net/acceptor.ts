import { ConnectionError } from "./connection_error.ts";
import { freeDescriptors } from "./giving_way.ts";
import type { Listener } from "./listener.ts";
import type { Turns } from "./turns.ts";

/** The first and the longest pause while the process has no descriptor or memory left. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

/**
 * A kernel queues at most 65,535 connections for a listener. If more accepts than that fail in a
 * row, the cause is not their peers, and trying again at once would go on for ever.
 */
const MAX_FAILED_PEERS = 65_536;

/**
 * After this many accepts within this many milliseconds, the next one waits for a turn. While two
 * processes connected and reset all the time, an echo took up to 220 ms without turns, and 14 ms
 * with them. It is a long time, because accepting takes long where the machine is busy with others.
 */
const TURN_ACCEPTS = 32;
const TURN_MS = 1_000;

/** Where an {@linkcode Acceptor} accepts: a listener, or what listens for connections in another form. */
export interface AcceptSource<T> extends Pick<Listener, "address" | "handshakes" | "close"> {
  /** Waits for the next one. Rejects when it is closed. */
  accept(): Promise<T>;
  /** Whether more have come than were accepted, if it knows. */
  readonly hasMore?: boolean;
}

/**
 * Accepts connections one after the other. If an accept fails because the peer has gone, the next
 * follows at once. If the process has no descriptor left, peers give way that have not shown what they
 * come for. If there are none, or no memory is left, it pauses first, longer each time.
 */
export class Acceptor<T extends NonNullable<unknown> = Deno.Conn> {
  readonly #listener: AcceptSource<T>;
  readonly #turns: Turns;
  readonly #onFailed: (error: ConnectionError) => void;
  readonly #inATurn: number;
  #stopped = false;
  #pauseMs = FIRST_PAUSE_MS;
  #failedPeers = 0;
  #acceptsSinceTurn = 0;
  #turnAt = -Infinity;
  #wake: (() => void) | undefined;

  /**
   * Takes over the listener.
   *
   * @param onFailed Gets each failed accept. It must not throw.
   * @param inATurn How many are accepted in one turn: what takes about a millisecond.
   */
  constructor(
    listener: AcceptSource<T>,
    turns: Turns,
    onFailed: (error: ConnectionError) => void,
    inATurn = TURN_ACCEPTS,
  ) {
    this.#listener = listener;
    this.#turns = turns;
    this.#onFailed = onFailed;
    this.#inATurn = inATurn;
    if (listener.handshakes) listener.handshakes.onFailed = onFailed;
  }

  /** The next connection; `undefined` once the listener is closed. Never rejects. */
  async next(): Promise<T | undefined> {
    while (!this.#stopped) {
      if (++this.#acceptsSinceTurn >= this.#inATurn) await this.#takeTurn();
      try {
        const conn = await this.#listener.accept();
        this.#failedPeers = 0;
        this.#pauseMs = FIRST_PAUSE_MS;
        return conn;
      } catch (cause) {
        if (this.#stopped) break;
        const error = new ConnectionError("accept", this.#listener.address, cause);
        this.#onFailed(error);
        // The listener was closed by somebody else.
        if (error.code === "closed") break;
        if (error.code === "too-many-open-files" && await freeDescriptors(this.#turns)) continue;
        if (isOfProcess(error) || ++this.#failedPeers >= MAX_FAILED_PEERS) {
          await this.#pause(this.#pauseMs);
          this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
        }
      }
    }
    return undefined;
  }

  /** Closes the listener. A pending {@linkcode Acceptor.next} resolves to `undefined`. */
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
    if (busy) await this.#turns.take(true);
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isOfProcess({ code }: ConnectionError): boolean {
  return code === "too-many-open-files" || code === "out-of-memory";
}
