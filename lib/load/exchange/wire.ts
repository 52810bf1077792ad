/** Messages over one socket. It knows nothing of when they are due. */
export interface Wire {
  /** A number that grows as long as the other side does something. */
  readonly progress: number;
  /** Sends what its listener has to send; if it is sending, it will see that there is more. */
  flush(): void;
  /**
   * Receives until the connection ends. Resolves if that was right, and rejects if it was an error.
   */
  run(): Promise<void>;
  /** Ends the connection. */
  close(): void;
}

/** What came of a message, as its exchange tells. */
export interface WireOutcome {
  /** The kind of request. */
  readonly kind?: string | undefined;
  /** Why the answer is wrong, and under which kind of error it counts. */
  readonly wrong?: { readonly code: "unexpected" | "refused" | "failed"; readonly text: string };
}

/** Has the messages for a wire, and is told what becomes of them. */
export interface WireListener {
  /** The number of the next message to be taken. */
  readonly next: number;
  /** Messages that are to be sent. */
  readonly waiting: number;
  /** Messages that were taken and have not been answered. */
  readonly underWay: number;
  /** Takes up to `most` messages, which are under way then. Returns how many. */
  take(most: number): number;
  /** The oldest `count` messages under way have been answered, with `bytes` bytes together. */
  answered(count: number, bytes: number, outcome?: WireOutcome): void;
  /** All answers that came together were told: the time is taken once for them. */
  told(): void;
  /** Sending failed. The end of {@linkcode Wire.run} follows, and this error counts. */
  sendFailed(error: unknown): void;
  /** The message of a number has been answered, or has got one of its answers. */
  settled(number: number, bytes: number, outcome?: WireOutcome): void;
}

/** What is done on the connections of one thread. */
export interface Exchange {
  /** The most messages of a connection that may be under way. */
  readonly maxUnderWay: number;
  /** Whether answers come in the order of the messages, or are told with a message's number. */
  readonly inOrder: boolean;
  /** How many answers each message has. */
  readonly answers: number;
  /** Whether the connection takes one message only, and the next one needs another. */
  readonly oneMessage: boolean;
  /**
   * Takes over a connection.
   *
   * @param id Its number, from 1.
   * @param first The number of the first message that is sent on it.
   */
  open(conn: Deno.Conn, id: number, first: number, listener: WireListener): Promise<Wire>;
  /** Further counts for the summary. */
  counts(): Readonly<Record<string, number>>;
  /** Ends what is not a connection of the load. */
  close(): Promise<void>;
}
