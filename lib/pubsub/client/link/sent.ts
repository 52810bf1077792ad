import { ReportedPromise } from "../../../base/reported_promise.ts";
import { aboutPublication, type PubSubError } from "../pubsub_error.ts";

/** Tells the program of publications that failed, while nobody awaited the promise of it. */
export type TellUnsent = (error: PubSubError) => void;

/**
 * The promise that frames are sent: those of one turn of the event loop share it. If nobody awaits
 * it, its rejection is told of where publications are among the frames.
 */
export class Sent extends ReportedPromise<void> {
  /** The topic of the first publication among the frames, and how many there are. */
  topic: string | undefined;
  count = 0;

  /** Counts a publication. Returns the same promise. */
  of(topic: string): this {
    this.topic ??= topic;
    this.count++;
    return this;
  }
}

/** A {@linkcode Sent} with the functions that settle it. */
export interface Sending {
  readonly promise: Sent;
  resolve(): void;
  reject(error: unknown): void;
}

/** Makes one; `tell` is called if it is rejected and nobody awaits it. */
export function sending(tell: TellUnsent): Sending {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Sent((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return {
    promise,
    resolve,
    reject(error) {
      reject(error);
      promise.reportTo(() => {
        const { topic, count } = promise;
        if (topic !== undefined) tell(aboutPublication(error, topic, "sent", count - 1));
      });
    },
  };
}

/** One that is rejected already, for a publication to a topic. */
export function unsent(error: unknown, topic: string, tell: TellUnsent): Sent {
  const { promise, reject } = sending(tell);
  reject(error);
  return promise.of(topic);
}
