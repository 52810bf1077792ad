import { OverBudgetError } from "../base/budget.ts";
import type { Address } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { ConnectionError } from "./connection_error.ts";
import type { CloseReason } from "./close_reason.ts";
import type { Peer } from "./peer.ts";
import { ReadBuffer } from "./bytes/read_buffer.ts";
import type { ConnectionMemory, KeepingConn, ServerMemory } from "./server_memory.ts";
import type { Turns } from "./turns.ts";
import { WriteQueue } from "./bytes/write_queue.ts";

/** How long a connection that has finished waits for the peer to close. */
const LINGER_MS = 1_000;

/** What a connection has to read into that is idle: there may be tens of thousands of them. */
const IDLE_BYTES = 512;

/** After this many bytes the next read waits for a turn. A read of TLS gives at most 16 KiB. */
const TURN_BYTES = 65_536;

/** Making room for more than this takes long. */
const MUCH_BYTES = 262_144;

/** After this much work, as it is estimated, the clock is looked at: 100 µs. */
const LOOK_NS = 100_000;

/** Bytes that are not wanted are read into it, by all connections. */
const discarded = new Uint8Array(65_536);

/** A connection: its socket, the bytes that were received and not handled, and those to be sent. */
export class Connection implements Peer {
  /** Its number among all connections of the process, from 1. */
  readonly id: number;
  /** When it was opened, in milliseconds of `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** Bytes that were received and are not handled yet. */
  readonly input: ReadBuffer;
  /** Bytes that are to be sent. */
  readonly output: WriteQueue;
  /** How many bytes were received so far. */
  readBytes = 0;
  /** How many messages were received so far; the service counts them. */
  readFrames = 0;
  /** Set by the service while a message has begun that is not complete: its time is limited. */
  midFrame = false;
  /** Called when the server drains: the service should answer what it has, and then finish. */
  onDrain: (() => void) | undefined;
  /**
   * Called when the server needs the memory that this connection holds: the service should tell the
   * peer, and finish. The connection is closed at once if this is not set, or if too many others are
   * being finished.
   */
  onEvict: (() => void) | undefined;
  /** Called by {@linkcode Connection.revoke}. Without it the connection is closed. */
  onRevoke: ((error?: Error) => void) | undefined;
  readonly #conn: Deno.Conn;
  readonly #turns: Turns | undefined;
  readonly #memory: ConnectionMemory | undefined;
  #bytesSinceTurn = 0;
  /** Whether nobody looks at the input until more comes. */
  #isWaiting = false;
  #workedNs = 0;
  #closeReason: CloseReason | undefined;
  #abort: AbortController | undefined;

  /**
   * Takes over a socket, which it will close.
   *
   * @param highWaterBytes `output.room()` waits while more bytes than this wait to be sent.
   * @param turns The turns of the server's connections.
   * @param memory The memory that the server's connections share.
   */
  constructor(conn: Deno.Conn, highWaterBytes: number, turns?: Turns, memory?: ServerMemory) {
    this.id = ++lastId;
    this.#conn = conn;
    this.#turns = turns;
    this.#memory = memory?.of(this);
    this.input = new ReadBuffer(this.#memory, IDLE_BYTES);
    this.output = new WriteQueue(
      conn,
      highWaterBytes,
      (cause) => new ConnectionError("write", this.remote, cause),
      this.#memory,
    );
    if (this.#memory && "countIn" in conn) (conn as unknown as KeepingConn).countIn(this.#memory);
  }

  /** The peer. */
  get remote(): Address {
    return addressOf(this.#conn.remoteAddr);
  }

  /** How many bytes the socket took so far. */
  get writtenBytes(): number {
    return this.output.writtenBytes;
  }

  /** How many bytes wait to be sent. */
  get pendingBytes(): number {
    return this.output.pendingBytes;
  }

  /** Why it was closed; `undefined` if it is open. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason;
  }

  /** Is aborted when the connection closes; for work that only this peer needs. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#closeReason) this.#abort.abort(this.#closeReason);
    return this.#abort.signal;
  }

  /**
   * Reads available bytes into {@linkcode Connection.input}; waits for the first one.
   *
   * @returns `false` if the peer has closed its sending half, else `true`.
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
   * Like {@linkcode Connection.read}, but without a promise of its own, for hot loops. It gives the
   * promise of `Deno.Conn.read`. Before the call wait for {@linkcode Connection.turn}; pass the
   * result to {@linkcode Connection.received}, and an error to {@linkcode Connection.readError}.
   */
  readSome(): Promise<number | null> {
    this.#isWaiting = true;
    return this.#conn.read(this.input.free());
  }

  /** Notes how many bytes {@linkcode Connection.readSome} has read. */
  received(count: number): void {
    this.#isWaiting = false;
    this.input.filled(count);
    this.#count(count);
  }

  #count(count: number): void {
    this.#workedNs = 0;
    this.readBytes += count;
    this.#bytesSinceTurn += count;
  }

  /**
   * Reads available bytes into the caller's memory: first those that {@linkcode Connection.input}
   * holds, then directly from the socket. For content that is not needed as a whole.
   *
   * @returns How many bytes were read; `null` if the peer has closed its sending half.
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
   * A promise to wait for before the next read, so that other connections are read too while this
   * one receives much; `undefined` if none is needed. It never rejects.
   */
  turn(): Promise<void> | undefined {
    if (this.#bytesSinceTurn < TURN_BYTES) return undefined;
    this.#bytesSinceTurn = 0;
    this.#isWaiting = true;
    // To read on does little: it does not wait behind long work. To make room for a large frame, whose
    // bytes may have to be moved, takes milliseconds.
    return this.#turns?.take(this.input.end - this.input.start < MUCH_BYTES);
  }

  /**
   * Counts work that one read has caused: a promise to wait for before there is more of it, so that
   * other connections are served too; `undefined` if none is needed. It never rejects.
   *
   * @param ns About how long it took, in nanoseconds.
   */
  worked(ns: number): Promise<void> | undefined {
    this.#workedNs += ns;
    if (this.#workedNs < LOOK_NS) return undefined;
    this.#workedNs = 0;
    return this.#turns?.take();
  }

  /**
   * A promise to wait for before work that the end of this connection causes: many may end at once.
   * `undefined` if none is needed. It never rejects.
   */
  turnToEnd(): Promise<void> | undefined {
    return this.#turns?.takeToEnd();
  }

  /** Makes the error of a read that failed; an `OverBudgetError` is returned as it is. */
  readError(cause: unknown): ConnectionError | OverBudgetError {
    if (cause instanceof OverBudgetError) return cause;
    return new ConnectionError("read", this.remote, cause);
  }

  /**
   * Writes directly to the socket, for a service that sends from the memory that it has read into.
   * It resolves to how many bytes the socket took, which the caller adds to `output.writtenBytes`.
   * The memory must not change until then.
   */
  writeSome(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  /** Makes the error of a write that failed. */
  writeError(cause: unknown): ConnectionError {
    return new ConnectionError("write", this.remote, cause);
  }

  /**
   * Ends the connection in order: sends what is pending, closes the sending half, waits up to a
   * second for the peer to close its own, and closes. If it closed at once while the peer still
   * sends, the kernel would reset the connection, and the peer might lose the last bytes. Never
   * rejects: if what is pending cannot be sent, the reason is `reset` instead of `done`.
   *
   * @param peerEnded Whether the peer has closed its sending half.
   */
  async finish(reason: CloseReason, peerEnded: boolean): Promise<void> {
    const turn = this.turnToEnd();
    if (turn) await turn;
    try {
      await this.output.flushed();
    } catch {
      return this.close(reason === "done" ? "reset" : reason);
    }
    try {
      await this.#conn.closeWrite();
      if (!peerEnded) await this.#linger(reason);
    } catch {
      // The peer has gone.
    }
    this.close(reason);
  }

  /** Closes at once; bytes that wait to be sent are lost. Only the first call counts. */
  close(reason: CloseReason): void {
    if (this.#closeReason) return;
    this.#closeReason = reason;
    this.#abort?.abort(reason);
    closeQuietly(this.#conn);
  }

  /** Counts memory that is kept for this peer, as {@linkcode Connection.countHeld}, if there is room. */
  tryHold(bytes: number): boolean {
    if (this.#memory?.hasOutputRoom(bytes) === false) return false;
    this.countHeld(bytes);
    return true;
  }

  /**
   * Counts memory that a service keeps for this peer, such as answers that wait for their turn, as
   * if it were output.
   *
   * @param bytes How many bytes more; negative for fewer.
   */
  countHeld(bytes: number): void {
    this.#memory?.countOutput(bytes);
  }

  /** Called when the server needs the memory that this connection holds. */
  evict(): void {
    // Its end may take a second, and the memory is needed now: only a read that waits may keep it.
    const keptBytes = this.input.bytes.length;
    if (this.#isWaiting) this.dropInput();
    const mayTell = this.onEvict && this.#memory?.mayLeaveSlowly(keptBytes);
    this.onEvict?.();
    if (!mayTell) this.close("over-budget");
  }

  /**
   * Ends the connection of a peer that may not be served any more: the service answers what it has
   * begun, and finishes.
   *
   * @param error What the peer is told, if no answer tells it already.
   */
  revoke(error?: Error): void {
    if (this.onRevoke) this.onRevoke(error);
    else this.close("unauthorized");
  }

  /**
   * Gives the memory of {@linkcode Connection.input} back: for a service that handles nothing more,
   * before it waits for what is left to be sent and for the peer's end. Views of it are no longer
   * valid.
   */
  dropInput(): void {
    this.input.release();
  }

  /** Gives back the memory that it holds. Called when its service has returned. */
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
