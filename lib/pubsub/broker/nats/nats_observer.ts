import { guard } from "../../../base/report.ts";

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

/** An observer that throws nothing: what it was to be told of goes on. */
export type GuardedObserver = Required<NatsObserver>;

/** Has the errors of an observer reported. */
export function guardObserver(observer: NatsObserver): GuardedObserver {
  const tell = (call: () => unknown) => guard("The observer of a NATS cluster failed", call);
  return {
    waiting: (reason) => tell(() => observer.waiting?.(reason)),
    disconnected: (server) => tell(() => observer.disconnected?.(server)),
    reconnected: (server) => tell(() => observer.reconnected?.(server)),
    refused: (message) => tell(() => observer.refused?.(message)),
  };
}
