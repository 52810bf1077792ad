import { isThenable, promiseOf } from "../../../base/thenable.ts";
import type { PubSubMessage } from "./message.ts";
import { MissedTally } from "./missed_publications.ts";
import type { SubscribeOptions } from "./subscribe_options.ts";
import type { WaitingItem } from "./waiting_messages.ts";

/** After this time in one go others get their turn. */
const TURN_MS = 4;

/** The clock is read once in this many messages. */
const MESSAGES_A_LOOK = 256;

/** What a {@linkcode CallbackLoop} needs of its subscription. */
export interface CallbackSource {
  /** Takes what comes next; `undefined` if nothing waits. */
  shift(): WaitingItem | undefined;
  /** Tells the program of what was missed. */
  tellMissed(missed: MissedTally): void;
  /** The program is done with messages. */
  handled(messages: readonly PubSubMessage[]): void;
  /** A callback threw. */
  failed(error: unknown): void;
  /** Nothing waits, and no callback runs. */
  idle(): void;
}

/**
 * Calls a program's function with the messages of a subscription, one call after the other. A
 * function that returns no promise is called right from the read loop: a message costs no promise.
 */
export class CallbackLoop {
  readonly #source: CallbackSource;
  readonly #call: (messages: PubSubMessage[]) => unknown;
  readonly #onMessage: SubscribeOptions["onMessage"];
  /** The messages for the next call of `onMessages`. */
  #batch: PubSubMessage[] = [];
  /** The messages of the call whose promise has not resolved. */
  #running: readonly PubSubMessage[] | undefined;
  /** Whether the loop goes on in another turn of the event loop. */
  #yielded = false;
  /** Messages taken from the queue, and since when they are without others having had their turn. */
  #count = 0;
  #turnAt = 0;
  // Made once, so that a call costs no closure.
  readonly #done = () => this.#ended();
  readonly #failed = (error: unknown) => {
    this.#source.failed(error);
    this.#ended();
  };

  /** For the callback that the options have. */
  constructor(source: CallbackSource, { onMessage, onMessages }: SubscribeOptions) {
    this.#source = source;
    this.#onMessage = onMessage;
    this.#call = onMessages ?? (([message]) => onMessage!(message!));
  }

  /** Whether a message has to wait: a call has not ended, or others wait before it. */
  get isBusy(): boolean {
    return this.#running !== undefined || this.#yielded;
  }

  /** The messages of the call that has not ended. */
  get running(): readonly PubSubMessage[] {
    return this.#running ?? [];
  }

  /**
   * Takes a message while nothing waits. With `onMessages` it is collected.
   *
   * @returns Whether {@linkcode CallbackLoop.flush} has to be called after the read.
   */
  offer(message: PubSubMessage): boolean {
    if (this.#onMessage === undefined) return this.#batch.push(message) === 1;
    this.#callOne(message, this.#onMessage);
    return false;
  }

  /** Calls `onMessages` with what was collected. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const messages = this.#batch;
    this.#batch = [];
    this.#callWith(messages);
    if (!this.isBusy) this.#source.idle();
  }

  /** Calls with what waits, unless a call has not ended. Others have had their turn before. */
  start(): void {
    if (this.isBusy) return;
    this.#turnAt = performance.now();
    this.#run();
  }

  #run(): void {
    if (this.isBusy) return;
    this.flush();
    while (!this.isBusy) {
      const item = this.#source.shift();
      if (item instanceof MissedTally || item === undefined) {
        this.flush();
        // A message that the call above is not done with comes before what was missed after it.
        if (item !== undefined) this.#source.tellMissed(item);
        else if (!this.isBusy) this.#source.idle();
        if (item === undefined) return;
      } else if (this.#onMessage) this.#callOne(item, this.#onMessage);
      else this.#batch.push(item);
      if (++this.#count % MESSAGES_A_LOOK === 0 && performance.now() - this.#turnAt > TURN_MS) {
        this.flush();
        return this.#yield();
      }
    }
  }

  #yield(): void {
    if (this.isBusy) return;
    this.#yielded = true;
    setTimeout(() => {
      this.#yielded = false;
      this.start();
    }, 0);
  }

  #callOne(message: PubSubMessage, onMessage: (message: PubSubMessage) => unknown): void {
    try {
      const result = onMessage(message);
      if (isThenable(result)) {
        this.#running = [message];
        return void promiseOf(result).then(this.#done, this.#failed);
      }
    } catch (error) {
      this.#source.failed(error);
    }
    if (message.replyTo !== undefined) this.#source.handled([message]);
  }

  #callWith(messages: PubSubMessage[]): void {
    const own = requestsAmong(messages);
    try {
      const result = this.#call(messages);
      if (isThenable(result)) {
        this.#running = own;
        return void promiseOf(result).then(this.#done, this.#failed);
      }
    } catch (error) {
      this.#source.failed(error);
    }
    this.#source.handled(own);
  }

  #ended(): void {
    const messages = this.#running!;
    this.#running = undefined;
    this.#source.handled(messages);
    this.#run();
  }
}

/** Those that want a reply. The array itself is the program's, which may change it. */
function requestsAmong(messages: readonly PubSubMessage[]): readonly PubSubMessage[] {
  return messages.filter(({ replyTo }) => replyTo !== undefined);
}
