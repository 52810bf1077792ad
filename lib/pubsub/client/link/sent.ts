import { messageOf } from "../../../base/message_of.ts";
import { PubSubError } from "../pubsub_error.ts";

/** Tells the program of publications that failed, while nobody awaited the promise of it. */
export type TellUnsent = (error: PubSubError) => void;

/** How many microtasks a program has to begin to await a promise that is rejected already. */
const GRACE_MICROTASKS = 4;

/**
 * The promise that frames are sent: those of one turn of the event loop share it. A program
 * that does not await it does not end by its rejection; `tell` is called instead if
 * publications are among the frames.
 */
export class Sent extends Promise<void> {
  /** The topic of the first publication among the frames, and how many there are. */
  topic: string | undefined;
  count = 0;
  #awaited = false;

  // What `then` returns is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Counts a publication. Returns the same promise. */
  of(topic: string): this {
    this.topic ??= topic;
    this.count++;
    return this;
  }

  override then<T = void, F = never>(
    onDone?: ((value: void) => T | PromiseLike<T>) | null,
    onFailed?: ((reason: unknown) => F | PromiseLike<F>) | null,
  ): Promise<T | F> {
    this.#awaited = true;
    return super.then(onDone, onFailed);
  }

  /** Has `tell` called if it is rejected and nobody awaits it. */
  watch(tell: TellUnsent): this {
    super.then(undefined, (error) => void this.#failed(error, tell));
    return this;
  }

  async #failed(error: unknown, tell: TellUnsent): Promise<void> {
    if (this.topic === undefined) return;
    for (let i = 0; i < GRACE_MICROTASKS && !this.#awaited; i++) await undefined;
    if (!this.#awaited) tell(this.#explained(error));
  }

  #explained(error: unknown): PubSubError {
    const { topic, count } = this;
    if (error instanceof PubSubError && error.topic !== undefined) return error;
    const code = error instanceof PubSubError ? error.code : "not-sent";
    const others = count > 1 ? ` and ${count - 1} more` : "";
    const why = messageOf(error);
    const message = `The publication to ${topic}${others} was not sent: ${why}`;
    return new PubSubError(code, message, { cause: error, topic });
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
  return { promise: promise.watch(tell), resolve, reject };
}

/** One that is rejected already, for a publication to a topic. */
export function unsent(error: unknown, topic: string, tell: TellUnsent): Sent {
  const { promise, reject } = sending(tell);
  reject(error);
  return promise.of(topic);
}
