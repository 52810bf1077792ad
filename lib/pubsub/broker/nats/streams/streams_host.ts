import type { NatsLink } from "../nats_link.ts";
import type { JetStreamApi } from "./jetstream_api.ts";

/** What readers and consumers need of their store. */
export interface StreamsHost {
  readonly link: NatsLink;
  readonly api: JetStreamApi;
  /** The number of the first message that a stream keeps at this moment; 1 if nobody can tell. */
  firstSeq(stream: string): Promise<number>;
  /**
   * The number of the first message from one on with a subject; `undefined` if there is none.
   *
   * @throws {StreamError}
   */
  nextSeq(stream: string, seq: number, subject: string): Promise<number | undefined>;
  /** A reader has ended. */
  readerClosed(reader: unknown): void;
}
