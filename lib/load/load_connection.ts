import { ConnectionError } from "../net/mod.ts";
import type { Address } from "../net/mod.ts";
import { describeDifference } from "../base/first_difference.ts";
import { LoadError } from "./load_error.ts";
import type { Payload } from "./payload.ts";

/** More is not read at once. */
const READ_BYTES = 65_536;

/** Bytes that are counted and not looked at are read into this one, by all connections. */
const unseen = new Uint8Array(READ_BYTES);

/** One connection under load: reads, compares, and says what is wrong. */
export class LoadConnection {
  /** Its number, from 1. */
  readonly id: number;
  /** The socket. */
  readonly conn: Deno.Conn;
  /** Bytes that were handed over to be sent: no more than these are to come back. */
  sentBytes = 0;
  /** Bytes that came. */
  receivedBytes = 0;
  /** Whether bytes are due: if none comes for too long, the connection is given up. */
  awaiting = false;
  readonly #address: Address;
  readonly #payload: Payload;
  readonly #compareAll: boolean;
  /** Its own while the bytes are looked at. */
  #buffer: Uint8Array<ArrayBuffer>;
  #givenUp: LoadError | undefined;

  /**
   * Takes over a socket.
   *
   * @param compareAll Whether all bytes are compared, or only the first message's.
   */
  constructor(
    id: number,
    conn: Deno.Conn,
    address: Address,
    payload: Payload,
    compareAll: boolean,
  ) {
    this.id = id;
    this.conn = conn;
    this.#address = address;
    this.#payload = payload;
    this.#compareAll = compareAll;
    const ownBytes = payload.batch(0, payload.maxBatch).bytes.length;
    // One more, in which a byte too many shows.
    this.#buffer = new Uint8Array(Math.min(READ_BYTES, ownBytes + 1));
  }

  /** Reads some bytes; resolves to how many. */
  read(): Promise<number | null> {
    return this.conn.read(this.#buffer);
  }

  /**
   * Notes what {@linkcode LoadConnection.read} brought, and compares it.
   *
   * @throws {LoadError} if the server ended the stream, a byte differs, or there is one too many.
   */
  received(count: number | null): void {
    if (count === null) {
      throw new LoadError(
        "closed",
        `connection ${this.id}: the server closed it after ${this.receivedBytes} bytes`,
      );
    }
    const surplus = this.receivedBytes + count - this.sentBytes;
    if (this.#buffer !== unseen) this.#compare(surplus > 0 ? count - surplus : count);
    this.receivedBytes += count;
    if (surplus > 0) {
      const bytes = surplus === 1 ? "1 byte" : `${surplus} bytes`;
      throw new LoadError("wrong", `connection ${this.id}: the server sent ${bytes} too many`);
    }
  }

  /** What the last read brought, while bytes are compared: a view, good until the next read. */
  view(count: number): Uint8Array {
    return this.#buffer.subarray(0, count);
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array): Promise<void> {
    let at = await this.conn.write(bytes);
    while (at < bytes.length) at += await this.conn.write(bytes.subarray(at));
  }

  /** Ends the connection because nothing came for too long. */
  giveUp(timeoutMs: number): void {
    this.#givenUp = new LoadError(
      "no-answer",
      `connection ${this.id}: no byte came for ${timeoutMs} ms`,
    );
    this.close();
  }

  /** What a failed read or write means. */
  explain(cause: unknown): LoadError {
    if (this.#givenUp) return this.#givenUp;
    if (cause instanceof LoadError) return cause;
    const error = new ConnectionError("read", this.#address, cause);
    const what = error.code === "reset" ? "the server broke it off" : error.message;
    return new LoadError("reset", `connection ${this.id}: ${what}`, { cause: error });
  }

  /** Closes it; once more does nothing. */
  close(): void {
    try {
      this.conn.close();
    } catch {
      // It is closed.
    }
  }

  #compare(count: number): void {
    const bytes = this.view(count);
    const difference = this.#payload.firstDifference(this.receivedBytes, bytes);
    if (difference >= 0) {
      const offset = this.receivedBytes + difference;
      const sent = this.#payload.byteAt(offset);
      const what = describeDifference(offset, bytes[difference]!, sent);
      throw new LoadError("wrong", `connection ${this.id}: the echo ${what}`);
    }
    const seen = this.receivedBytes + count;
    if (!this.#compareAll && seen >= this.#payload.lengthOf(0)) this.#buffer = unseen;
  }
}
