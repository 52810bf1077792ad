import { closeQuietly } from "../../base/close_quietly.ts";
import { LoadError } from "../load_error.ts";
import type { Batch, MessageSource } from "../payload.ts";
import type { AnswerReader } from "../answers/answer_reader.ts";
import type { Wire, WireListener } from "./wire.ts";

/** The most bytes of one read. */
const READ_BYTES = 65_536;

/** What a connection's own buffer begins with; it grows when reads fill it. */
const FIRST_READ_BYTES = 4_096;

/**
 * A closed loop's next messages, up to this size, are written by the reader itself, before it reads
 * on: that saves a promise for each round. More might fill the buffers both ways, where the server
 * would wait for its echoes to be read.
 */
const SERIAL_BYTES = 65_536;

/** Bytes that are only counted are read into this one buffer, by all connections. */
const unseen = new Uint8Array(READ_BYTES);

/** Messages as bytes, and answers read from the bytes that come. */
export class StreamWire implements Wire {
  /** Reads, and parts of a message that were taken after its first. */
  progress = 0;
  readonly #conn: Deno.Conn;
  readonly #source: MessageSource;
  readonly #reader: AnswerReader;
  readonly #listener: WireListener;
  #receivedBytes = 0;
  #sending = false;
  /** How many messages were taken last. */
  #taken = 0;
  /** Whether answers are being told, after which the reader looks for more to send. */
  #telling = false;

  /** Takes over the connection. @param listener Is told by the reader of each answer. */
  constructor(
    conn: Deno.Conn,
    source: MessageSource,
    reader: AnswerReader,
    listener: WireListener,
  ) {
    this.#conn = conn;
    this.#source = source;
    this.#reader = reader;
    this.#listener = listener;
  }

  /** Sends in the background. */
  flush(): void {
    if (!this.#sending && !this.#telling) void this.#send();
  }

  /** Reads until the end. */
  async run(): Promise<void> {
    const conn = this.#conn;
    const reader = this.#reader;
    const listener = this.#listener;
    let own = new Uint8Array(FIRST_READ_BYTES);
    while (true) {
      const buffer = reader.looksAtBytes ? own : unseen;
      const count = await conn.read(buffer);
      if (count === null) break;
      this.progress++;
      this.#receivedBytes += count;
      this.#telling = true;
      reader.take(buffer, count);
      listener.told();
      this.#telling = false;
      if (listener.waiting > 0 && !this.#sending) {
        // The hot path of a closed loop: two calls of the runtime and one look at the clock a round.
        const batch = listener.underWay === 0 ? this.#next() : undefined;
        if (batch === undefined || batch.length > SERIAL_BYTES) void this.#send(batch);
        else {
          this.#sending = true;
          reader.sentBytes += batch.length;
          const written = await conn.write(batch.piece(0));
          if (written < batch.length) {
            reader.sentBytes -= batch.length;
            await this.#write(batch, written);
          }
          this.#sending = false;
          if (listener.waiting > 0) void this.#send();
        }
      }
      if (count === own.length && count < READ_BYTES) own = new Uint8Array(count * 4);
    }
    if (reader.closed()) return;
    const bytes = this.#receivedBytes;
    throw new LoadError("closed", `the server closed it after ${bytes} bytes`);
  }

  /** Closes the connection. */
  close(): void {
    closeQuietly(this.#conn);
  }

  /** Takes the next messages, up to what one batch holds. */
  #next(): Batch | undefined {
    const first = this.#listener.next;
    this.#taken = this.#listener.take(this.#source.maxBatch);
    return this.#taken > 0 ? this.#source.batch(first, this.#taken) : undefined;
  }

  /** Sends as long as there is something. */
  async #send(batch = this.#next()): Promise<void> {
    this.#sending = true;
    try {
      for (; batch !== undefined; batch = this.#next()) {
        await this.#write(batch, 0);
        if (!this.#reader.taken) continue;
        this.#reader.taken(this.#taken, batch.length);
        this.#listener.told();
      }
    } catch (error) {
      this.#listener.sendFailed(error);
      this.close();
    }
    this.#sending = false;
  }

  /** Writes a batch from an offset on, a large one in pieces. */
  async #write(batch: Batch, from: number): Promise<void> {
    const reader = this.#reader;
    reader.sentBytes += from;
    for (let at = from; at < batch.length;) {
      const piece = batch.piece(at);
      reader.sentBytes += piece.length;
      const written = await this.#conn.write(piece);
      // What was not taken is offered again.
      reader.sentBytes -= piece.length - written;
      at += written;
      if (at < batch.length) this.progress++;
    }
  }
}
