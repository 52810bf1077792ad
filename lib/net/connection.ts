import { OverBudgetError } from "../base/budget.ts";
import type { Address } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { closeConn } from "./close_conn.ts";
import { ConnectionError } from "./connection_error.ts";
import { ReadBuffer } from "./bytes/read_buffer.ts";
import type { ConnectionMemory, MemoryOwner, ServerMemory } from "./server_memory.ts";
import type { Turns } from "./turns.ts";
import { WriteQueue } from "./bytes/write_queue.ts";

/**
 * Why a connection ended:
 *
 * - `done`: both sides had said all; `reset`: the peer broke it off.
 * - `idle`, `first-byte-timeout`, `frame-timeout`: a limit in time.
 * - `refused`: the server has as many connections as it may.
 * - `over-budget`: the server has no memory left for what the peer sends, or does not read.
 * - `protocol`: the peer sent what the protocol does not have.
 * - `drained`, `forced`: the server ends; in time, or at its deadline.
 * - `failed`: the service of the connection threw.
 */
export type CloseReason =
  | "done"
  | "reset"
  | "idle"
  | "first-byte-timeout"
  | "frame-timeout"
  | "refused"
  | "over-budget"
  | "protocol"
  | "drained"
  | "forced"
  | "failed";

/** How long a connection that is closed waits for its peer to see the last bytes. */
const LINGER_MS = 1_000;

/** When so many bytes came, others may have their turn: of TLS, a read brings 16 KiB at most. */
const TURN_BYTES = 65_536;

/** Bytes that nobody wants are read into this one. */
const discarded = new Uint8Array(65_536);

/** One connection: its socket, the bytes that came in, and those on their way out. */
export class Connection implements MemoryOwner {
  /** Counts the connections of the process, from 1. */
  readonly id: number;
  /** When it was opened, in milliseconds of `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** Bytes that came and are not dealt with. */
  readonly input: ReadBuffer;
  /** Bytes on their way out. */
  readonly output: WriteQueue;
  /** Bytes that came in all. */
  readBytes = 0;
  /** Messages that came in all, by whatever the protocol counts as one. */
  readFrames = 0;
  /** Whether a message has begun that is not complete: its time is limited. */
  midFrame = false;
  /** Called when the server drains: finish what is begun, take nothing more. */
  onDrain: (() => void) | undefined;
  /**
   * Called when the server needs the memory that this connection holds: tell the peer, and end.
   * Without it the connection is closed.
   */
  onEvict: (() => void) | undefined;
  readonly #conn: Deno.Conn;
  readonly #turns: Turns | undefined;
  readonly #memory: ConnectionMemory | undefined;
  #bytesSinceTurn = 0;
  #closeReason: CloseReason | undefined;
  #abort: AbortController | undefined;

  /**
   * Takes over a socket: from here on it is closed by this connection.
   *
   * @param highWaterBytes Pending output above which `output.room()` waits.
   * @param turns Who sees to it that other connections get their turn beside it.
   * @param memory What it shares with the other connections of a server.
   */
  constructor(conn: Deno.Conn, highWaterBytes: number, turns?: Turns, memory?: ServerMemory) {
    this.id = ++lastId;
    this.#conn = conn;
    this.#turns = turns;
    this.#memory = memory?.of(this);
    this.input = new ReadBuffer(this.#memory);
    this.output = new WriteQueue(
      conn,
      highWaterBytes,
      (cause) => new ConnectionError("write", this.remote, cause),
      this.#memory,
    );
  }

  /** The peer. */
  get remote(): Address {
    return addressOf(this.#conn.remoteAddr);
  }

  /** Bytes that the socket took in all. */
  get writtenBytes(): number {
    return this.output.writtenBytes;
  }

  /** Why it was closed; `undefined` while it is open. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason;
  }

  /** Aborted when the connection closes, for work that is done for this peer alone. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#closeReason) this.#abort.abort(this.#closeReason);
    return this.#abort.signal;
  }

  /**
   * Reads what is there into {@linkcode Connection.input}; waits if nothing is.
   *
   * @returns Whether anything came; `false` at the peer's end of stream.
   * @throws {ConnectionError} with operation `read`
   * @throws {OverBudgetError} if an unfinished frame needs memory that the server does not have.
   */
  async read(): Promise<boolean> {
    const turn = this.turn();
    if (turn) await turn;
    let count: number | null;
    try {
      count = await this.readSome();
    } catch (cause) {
      throw this.readError(cause);
    }
    if (count !== null) this.received(count);
    return count !== null;
  }

  /**
   * {@linkcode Connection.read} for hot loops, without a promise of its own: resolves to what
   * `Deno.Conn.read` does, which has to be handed to {@linkcode Connection.received}, and rejects
   * with what {@linkcode Connection.readError} explains. {@linkcode Connection.turn} is to be
   * waited for before.
   */
  readSome(): Promise<number | null> {
    return this.#conn.read(this.input.free());
  }

  /** Notes how many bytes {@linkcode Connection.readSome} brought. */
  received(count: number): void {
    this.input.filled(count);
    this.#count(count);
  }

  #count(count: number): void {
    this.readBytes += count;
    this.#bytesSinceTurn += count;
  }

  /**
   * Reads into memory of the caller's: what {@linkcode Connection.input} holds first, then what
   * comes, which does not go through `input`. For content that is not needed as a whole.
   *
   * @returns How many bytes; `null` at the peer's end of stream.
   * @throws {ConnectionError} with operation `read`
   */
  async readInto(memory: Uint8Array): Promise<number | null> {
    const { input } = this;
    if (input.end > input.start) {
      const held = input.bytes.subarray(
        input.start,
        Math.min(input.end, input.start + memory.length),
      );
      memory.set(held);
      input.consume(held.length);
      return held.length;
    }
    const turn = this.turn();
    if (turn) await turn;
    let count: number | null;
    try {
      count = await this.#conn.read(memory);
    } catch (cause) {
      throw this.readError(cause);
    }
    if (count !== null) this.#count(count);
    return count;
  }

  /**
   * What to wait for before the next read, so that others get their turn beside a client that sends
   * much; `undefined` if the read may begin. It never rejects.
   */
  turn(): Promise<void> | undefined {
    if (this.#bytesSinceTurn < TURN_BYTES) return undefined;
    this.#bytesSinceTurn = 0;
    return this.#turns?.take();
  }

  /** The error of a read that failed; one for which there was no memory is what it is. */
  readError(cause: unknown): ConnectionError | OverBudgetError {
    if (cause instanceof OverBudgetError) return cause;
    return new ConnectionError("read", this.remote, cause);
  }

  /**
   * Writes past {@linkcode Connection.output}, for a service that sends on the memory it read into:
   * resolves to how many bytes the socket took, which are to be added to `output.writtenBytes`. The
   * memory must stay as it is until then.
   */
  writeSome(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  /** The error of a write that failed. */
  writeError(cause: unknown): ConnectionError {
    return new ConnectionError("write", this.remote, cause);
  }

  /**
   * Ends the connection in order: sends what is pending, says that no more comes, waits a little
   * for the peer to read it, closes. Closing while the peer still sends would make the kernel
   * throw away what the peer has not read yet. Never throws: if what is pending cannot be sent, the
   * reason is not `done` but `reset`.
   *
   * @param peerEnded Whether the peer has said that it sends no more.
   */
  async finish(reason: CloseReason, peerEnded: boolean): Promise<void> {
    try {
      await this.output.flushed();
    } catch {
      return this.close(reason === "done" ? "reset" : reason);
    }
    try {
      await this.#conn.closeWrite();
      if (!peerEnded) await this.#linger(reason);
    } catch {
      // The peer is gone; there is nobody to tell.
    }
    this.close(reason);
  }

  /** Closes at once; what is pending is lost. Does nothing the second time. */
  close(reason: CloseReason): void {
    if (this.#closeReason) return;
    this.#closeReason = reason;
    this.#abort?.abort(reason);
    closeConn(this.#conn);
  }

  /** Counts what a service keeps for this peer besides output: so many bytes more, or fewer. */
  countHeld(bytes: number): void {
    this.#memory?.countOutput(bytes);
  }

  /** Called when the server needs the memory that this connection holds. */
  evict(): void {
    if (this.onEvict) this.onEvict();
    else this.close("over-budget");
  }

  /** Gives back what it holds. Called when nobody serves it any more. */
  release(): void {
    this.#memory?.close();
    this.input.release();
  }

  async #linger(reason: CloseReason): Promise<void> {
    const timer = setTimeout(() => this.close(reason), LINGER_MS);
    try {
      while (await this.#conn.read(discarded) !== null);
    } finally {
      clearTimeout(timer);
    }
  }
}

let lastId = 0;
