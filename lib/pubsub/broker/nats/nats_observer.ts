/** What happens between a broker and its NATS cluster; every method is optional. */
export interface NatsObserver {
  /** The cluster cannot be reached; it is tried again until the time for that is over. */
  waiting?(reason: string): void;
  /** The connection was lost, and is being made again. */
  disconnected?(server: string): void;
  /** There is a connection again. */
  reconnected?(server: string): void;
  /** A server refuses something that no client waits for, in a sentence. */
  refused?(message: string): void;
}
