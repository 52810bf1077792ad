import { closeQuietly } from "../base/close_quietly.ts";
import { ConnectionError } from "../net/mod.ts";
import type { Address } from "../net/mod.ts";
import { describeDifference } from "../base/first_difference.ts";
import { SPEAKS_TLS, startsTlsRecord } from "../base/tls_record.ts";
import { LoadError } from "./load_error.ts";
import type { Payload } from "./payload.ts";

/** The most bytes of one read. */
const READ_BYTES = 65_536;

/** Bytes that are only counted are read into this one buffer, by all connections. */
const unseen = new Uint8Array(READ_BYTES);

/** One connection under load: reads, compares with what was sent, and reports what is wrong. */
export class LoadConnection {
  /** Its number, from 1. */
  readonly id: number;
  /** The socket. */
  readonly conn: Deno.Conn;
  /** Bytes given to the socket. More than these must not come back. */
  sentBytes = 0;
  /** Bytes received. */
  receivedBytes = 0;
  /** Whether an answer is outstanding. If then no byte comes for too long, it is given up. */
  awaiting = false;
  readonly #address: Address;
  readonly #payload: Payload;
  readonly #compareAll: boolean;
  /** The connection's own while bytes are compared, later `unseen`. */
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
    // One byte more than is due, so that a surplus byte is read and seen.
    this.#buffer = new Uint8Array(Math.min(READ_BYTES, ownBytes + 1));
  }

  /** Reads some bytes. Resolves to how many, or `null` at the end of the stream. */
  read(): Promise<number | null> {
    return this.conn.read(this.#buffer);
  }

  /**
   * Counts and compares what {@linkcode LoadConnection.read} brought.
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

  /** The last read's bytes, while bytes are compared: a view, good until the next read. */
  view(count: number): Uint8Array {
    return this.#buffer.subarray(0, count);
  }

  /** Writes all bytes. */
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

  /** The error to report for a failed read or write. */
  explain(cause: unknown): LoadError {
    if (this.#givenUp) return this.#givenUp;
    if (cause instanceof LoadError) return cause;
    const error = new ConnectionError("read", this.#address, cause);
    const what = error.code === "reset" ? "the server broke it off" : error.message;
    return new LoadError("reset", `connection ${this.id}: ${what}`, { cause: error });
  }

  /** Closes the connection; calling it again does nothing. */
  close(): void {
    closeQuietly(this.conn);
  }

  #compare(count: number): void {
    const bytes = this.view(count);
    const difference = this.#payload.firstDifference(this.receivedBytes, bytes);
    if (difference >= 0) {
      const offset = this.receivedBytes + difference;
      const sent = this.#payload.byteAt(offset);
      if (offset === 0 && startsTlsRecord(bytes)) {
        throw new LoadError("wrong", `connection ${this.id}: ${SPEAKS_TLS}`);
      }
      const what = describeDifference(offset, bytes[difference]!, sent);
      throw new LoadError("wrong", `connection ${this.id}: the echo ${what}`);
    }
    const seen = this.receivedBytes + count;
    if (!this.#compareAll && seen >= this.#payload.lengthOf(0)) this.#buffer = unseen;
  }
}
