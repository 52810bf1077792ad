import { Deque } from "../../../../base/deque.ts";
import { StreamError } from "../stream_error.ts";
import type { ConsumerFigures, ConsumerMember, DeliveryBatch } from "../stream_store.ts";

/** What a {@linkcode StoreMember} needs of its store. */
export interface MemberHost {
  /** The member waits for deliveries. */
  hungry(member: number): void;
  /** The member has ended. */
  left(member: number, counted: boolean): void;
}

/** One connection's share in a consumer. */
export class StoreMember implements ConsumerMember {
  /** The consumer as it was then; set when it has joined. */
  figures!: ConsumerFigures;
  readonly #id: number;
  readonly #host: MemberHost;
  readonly #batches = new Deque<DeliveryBatch>();
  #waiting: PromiseWithResolvers<DeliveryBatch | undefined> | undefined;
  #isClosed = false;
  #error: StreamError | undefined;

  /** It is about to join. */
  constructor(id: number, host: MemberHost) {
    this.#id = id;
    this.#host = host;
  }

  take(): Promise<DeliveryBatch | undefined> {
    const batch = this.#batches.shift();
    if (batch || this.#isClosed) return Promise.resolve(batch);
    if (this.#error) return Promise.reject(this.#error);
    this.#host.hungry(this.#id);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  close(counted: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batches.clear();
    this.#host.left(this.#id, counted);
    this.#waiting?.resolve(undefined);
  }

  /** Takes what the writer handed out. */
  deliver(batch: DeliveryBatch): void {
    if (this.#isClosed) return;
    if (this.#waiting === undefined) return this.#batches.push(batch);
    this.#waiting.resolve(batch);
    this.#waiting = undefined;
  }

  /** Its consumer is gone, or nothing can be written any more. */
  end(error: StreamError): void {
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
