/** Reads the answers that come over one connection, and tells when each is whole. */
export interface AnswerReader {
  /** Whether it looks at the bytes. If not, they are read into memory that many share. */
  readonly looksAtBytes: boolean;
  /** Bytes that were given to the connection so far. */
  sentBytes: number;
  /**
   * Takes bytes that came: the first `count` of the buffer, which is used again when this returns.
   *
   * @throws {LoadError} if they are no answer, with the code `wrong`.
   */
  take(buffer: Uint8Array, count: number): void;
  /** The connection has taken `count` messages, which have `bytes` bytes in all. */
  taken?(count: number, bytes: number): void;
  /** The server closed the connection. Returns whether that was right. */
  closed(): boolean;
}

/**
 * Is told of answers that are whole: how many, how many bytes they have together, and the bytes of a
 * single one where they are kept.
 */
export type OnAnswer = (count: number, bytes: number, content?: Uint8Array) => void;
