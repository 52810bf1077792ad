import { encodeFrame } from "../../../frame/frame_encoder.ts";
import type { ReadBatch, StoreCopy, StreamReader } from "./stream_store.ts";

/** Hands out the copy of a store as a stream is read: in parts, at the pace of the connection. */
export class CopyReader implements StreamReader {
  caughtUp = false;
  /** One more than the bytes that were handed out. */
  next = 1;
  readonly #copy: StoreCopy;
  readonly #sid: number;

  /** Closes the copy when it is closed. */
  constructor(copy: StoreCopy, sid: number) {
    this.#copy = copy;
    this.#sid = sid;
  }

  async read(): Promise<ReadBatch | undefined> {
    if (this.caughtUp) return undefined;
    const content = await this.#copy.read();
    if (content === undefined) {
      this.caughtUp = true;
      return { bytes: new Uint8Array(0), count: 0, missed: 0 };
    }
    const header = { op: "pub", sid: this.#sid, offset: this.next - 1 };
    this.next += content.length;
    return { bytes: encodeFrame({ header, content }), count: 1, missed: 0 };
  }

  close(): void {
    this.#copy.close();
  }
}
