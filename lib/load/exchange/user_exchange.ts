/** A message that an exchange is to send. */
export interface ExchangeMessage {
  /** Its number among the messages of all connections, from 1. */
  readonly seq: number;
  /** The number of its connection, from 1. */
  readonly connection: number;
  /**
   * Tells of one of the message's answers; only where {@linkcode LoadExchange.answers} is given. It
   * may be called after the exchange's promise was resolved, until the load ends.
   */
  answered(outcome?: ExchangeOutcome): void;
}

/** What came of a message. */
export interface ExchangeOutcome {
  /** Bytes of the answer, for the figures. @default {0} */
  readonly bytes?: number | undefined;
  /** Which kind of request it was: latencies are told by kind, of the first 64. */
  readonly kind?: string | undefined;
  /** What the answer says of a failure, shortly: these are counted by text. */
  readonly error?: string | undefined;
}

/**
 * Sends one message and resolves when its answer is there. Several may be under way on a connection
 * at one time. If it rejects with an error of the connection (a `ConnectionError`, an error of
 * `Deno.errors`, or a `LoadError`), that ends the connection; any other is counted as the message's.
 */
export type ExchangeFunction = (message: ExchangeMessage) => Promise<ExchangeOutcome | void>;

/**
 * Takes over a connection that was made, and returns what exchanges one message on it. The load
 * closes the connection. `id` is its number, from 1.
 */
export type OpenExchange = (
  conn: Deno.Conn,
  id: number,
) => ExchangeFunction | Promise<ExchangeFunction>;

/** What a load does on its connections, if not send bytes and await an answer. */
export interface LoadExchange {
  /** Takes over each connection. */
  readonly open: OpenExchange;
  /**
   * How many answers each message has, such as the deliveries of a publication. If it is given,
   * `ExchangeMessage.answered` tells of each, and the promise of the exchange only of having sent.
   *
   * @default {one, of which the promise tells}
   */
  readonly answers?: number | undefined;
  /** Further counts of this thread, for the summary: called when all is over. */
  counts?(): Readonly<Record<string, number>>;
  /** Ends what it began besides the load's own connections. */
  close?(): void | Promise<void>;
}

/**
 * An exchange that a module makes, so that worker threads can load it. Its default export is a
 * function that takes the options and returns a {@linkcode LoadExchange} or {@linkcode OpenExchange}.
 */
export interface ExchangeModule {
  /** The module: an absolute URL. */
  readonly module: string | URL;
  /** What its function is given; it is cloned for each thread. */
  readonly options?: unknown;
}

/** Makes the exchange of one thread: the default export of an exchange's module. */
export type MakeExchange = (
  options: never,
) => LoadExchange | OpenExchange | Promise<LoadExchange | OpenExchange>;
