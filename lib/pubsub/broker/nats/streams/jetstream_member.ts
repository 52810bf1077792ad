import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import type { StreamError } from "../../streams/stream_error.ts";
import type { ConsumerFigures, ConsumerMember, DeliveryBatch } from "../../streams/stream_store.ts";
import type { OpenDelivery } from "./open_delivery.ts";

/** What a {@linkcode JetStreamMember} needs of its consumer. */
export interface MemberOwner {
  /** The member waits for deliveries. */
  hungry(): void;
  left(member: JetStreamMember, counted: boolean): void;
  /** Deliveries that are shared out among members that do not say how many they take. */
  share(): number;
}

/** One connection's share in a consumer. */
export class JetStreamMember implements ConsumerMember {
  readonly figures: ConsumerFigures;
  readonly owner: number;
  readonly sid: number;
  /** How many deliveries are open, those that it has not taken yet among them. */
  open = 0;
  /** Its next deliveries, and how many they are. */
  readonly out = new ByteBuffer();
  count = 0;
  /** Messages that are no longer kept, of which it is told with the next batch. */
  missed = 0;
  /** Those that are written and not taken. */
  readonly #untaken = new Set<OpenDelivery>();
  readonly #prefetch: number | undefined;
  readonly #consumer: MemberOwner;
  #waiting: PromiseWithResolvers<DeliveryBatch | undefined> | undefined;
  #isScheduled = false;
  #isClosed = false;
  #error: StreamError | undefined;

  /** @param owner The connection. */
  constructor(
    consumer: MemberOwner,
    figures: ConsumerFigures,
    { owner, sid, prefetch }: {
      readonly owner: number;
      readonly sid: number;
      readonly prefetch: number | undefined;
    },
  ) {
    this.#consumer = consumer;
    this.figures = figures;
    this.owner = owner;
    this.sid = sid;
    this.#prefetch = prefetch;
  }

  /** How many more deliveries it may have. */
  get credit(): number {
    return Math.max(0, (this.#prefetch ?? this.#consumer.share()) - this.open);
  }

  /** Whether it waits for deliveries. */
  get isHungry(): boolean {
    return this.#waiting !== undefined;
  }

  /** A delivery of its own is written. */
  add(delivery: OpenDelivery): void {
    this.open++;
    this.count++;
    this.#untaken.add(delivery);
    this.handOut();
  }

  /** Whether a delivery is on its way to the client. */
  hasTaken(delivery: OpenDelivery): boolean {
    return !this.#untaken.has(delivery);
  }

  take(): Promise<DeliveryBatch | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    if (this.#error) return Promise.reject(this.#error);
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (this.count > 0 || this.missed > 0) this.handOut();
    else this.#consumer.hungry();
    return promise;
  }

  /** Hands out what is written, in a moment: what came by one read of the socket goes in one batch. */
  handOut(): void {
    if (this.#isScheduled || this.#waiting === undefined) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const waiting = this.#waiting;
      if (waiting === undefined || this.count + this.missed === 0) return;
      this.#waiting = undefined;
      const bytes = this.out.view().slice();
      waiting.resolve({ bytes, count: this.count, missed: this.missed });
      this.out.clear();
      this.count = this.missed = 0;
      this.#untaken.clear();
    });
  }

  close(counted: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#consumer.left(this, counted);
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** Its consumer is gone. */
  end(error: StreamError): void {
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
