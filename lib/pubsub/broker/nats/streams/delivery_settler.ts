import { messageOf } from "../../../../base/message_of.ts";
import { TIMED_OUT } from "../../streams/consumer_settings.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type { ConsumerSettings } from "../../streams/stream_store.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { DeliveryNumbers } from "./delivery_numbers.ts";
import { REQUEST_MS } from "./jetstream_api.ts";
import { ACK, keyOf, nak, type OpenDelivery } from "./open_delivery.ts";
import type { SharedRecord } from "./shared_record.ts";
import type { StoredMessages } from "./stored_messages.ts";
import type { StreamsHost } from "./streams_host.ts";

/** When a message that JetStream would not do something for is tried again. */
export const RETRY_MS = 1_000;

/**
 * For some seconds a gateway whose members have left still gets the messages that it has asked for, and
 * gives them back. A message that is given back once more is delayed by this: otherwise it could go to
 * and fro between two such gateways a thousand times.
 */
const AGAIN_MS = 500;

/** Reasons of messages that are remembered until their next delivery. */
const MAX_REASONS = 10_000;

/** What a consumer needs of its store. */
export interface ConsumerHost extends StreamsHost {
  readonly messages: StoredMessages;
  readonly deadLetters: DeadLetters;
  readonly numbers: DeliveryNumbers;
  /** The first number of a stream as it was seen last. */
  knownFirst(stream: string): number;
  /** Whether gateways remove what a stream's consumers are done with. */
  isSwept(stream: string): boolean;
  /** Something was acknowledged. */
  acknowledged(stream: string): void;
  /** Is to be waited for before the connection to NATS ends. */
  busy(work: Promise<void>): void;
}

/** The consumer whose deliveries are settled. */
export interface SettledConsumer {
  readonly stream: string;
  readonly name: string;
  readonly settings: ConsumerSettings;
  /** Tells it from others that had or will have its name. */
  readonly incarnation: string;
  /** What gateways know of it together. */
  readonly record: SharedRecord;
}

/** Tells JetStream what becomes of a consumer's deliveries. */
export class DeliverySettler {
  readonly #host: ConsumerHost;
  readonly #consumer: SettledConsumer;
  /** Why messages were given back the last time. */
  readonly #reasons = new Map<number, string>();

  constructor(host: ConsumerHost, consumer: SettledConsumer) {
    this.#host = host;
    this.#consumer = consumer;
  }

  /** Tells JetStream something of a delivery. While there is no connection it is lost. */
  tell(reply: string, what: Uint8Array): void {
    const { link } = this.#host;
    if (link.connected && !link.connection.isClosed()) link.connection.publish(reply, what);
  }

  /**
   * Acknowledges deliveries.
   *
   * @param durable Whether to wait until JetStream has them all.
   * @throws {StreamError} `unavailable`
   */
  async acknowledge(deliveries: readonly OpenDelivery[], durable: boolean): Promise<void> {
    const { deadLetters, link } = this.#host;
    const letters: Promise<void>[] = [];
    const replies: string[] = [];
    for (const delivery of deliveries) {
      this.#reasons.delete(keyOf(delivery));
      const { reply, letter } = delivery;
      if (letter === undefined) replies.push(reply);
      else {
        this.tell(reply, ACK);
        letters.push(deadLetters.remove(letter));
      }
    }
    const last = durable ? replies.pop() : undefined;
    const { reconnects } = link;
    for (const reply of replies) this.tell(reply, ACK);
    this.#host.acknowledged(this.#consumer.stream);
    const removed = Promise.all(letters).then(() => {});
    if (!durable) return this.#host.busy(removed.catch(() => {}));
    try {
      // JetStream deals with them in their order: with the last one, all are done that came by the
      // same connection.
      if (last !== undefined) await link.connection.request(last, ACK, { timeout: REQUEST_MS });
      if (link.reconnects !== reconnects) throw new Error("the connection was lost meanwhile");
      await removed;
    } catch (error) {
      const message = `JetStream has not confirmed the acknowledgement: ${messageOf(error)}`;
      throw new StreamError("unavailable", message);
    }
  }

  /**
   * Has a message delivered again, or moves it to the dead letters after its last attempt.
   *
   * @param isKept Whether it is still in its stream; otherwise it cannot come again.
   */
  giveBack(
    delivery: OpenDelivery,
    delayMs: number,
    reason: string | undefined,
    isKept: boolean,
  ): void {
    const key = keyOf(delivery);
    if (reason === undefined) this.#reasons.delete(key);
    else {
      if (this.#reasons.size >= MAX_REASONS) this.#reasons.clear();
      this.#reasons.set(key, reason);
    }
    const { maxAttempts } = this.#consumer.settings;
    if (!isKept) this.tell(delivery.reply, ACK);
    else if (maxAttempts > 0 && delivery.attempt >= maxAttempts) this.#bury(delivery, reason);
    else this.tell(delivery.reply, nak(delayMs));
  }

  /** Moves a message to the dead letters that came once more than it may. */
  bury(delivery: OpenDelivery): void {
    this.#bury(delivery, this.#reasons.get(keyOf(delivery)) ?? TIMED_OUT);
  }

  /** Has messages delivered again as if they had not been. */
  giveBackUncounted(keys: readonly number[], replies: readonly string[]): void {
    const { record, stream } = this.#consumer;
    const giveBack = () => {
      const { uncounted } = record.state;
      replies.forEach((reply, i) => {
        const isAgain = (uncounted[keys[i]!] ?? 0) > 1;
        this.tell(reply, nak(isAgain ? AGAIN_MS : 0));
      });
    };
    const noted = record.uncount(keys, this.#host.knownFirst(stream));
    this.#host.busy(noted.then(giveBack, giveBack));
  }

  #bury(delivery: OpenDelivery, reason: string | undefined): void {
    const { seq, time, attempt: attempts, letter, reply } = delivery;
    const { stream, name: consumer, incarnation } = this.#consumer;
    const buried = { stream, consumer, incarnation, seq, time, attempts, reason, letter };
    const done = this.#host.deadLetters.store(buried).then(() => {
      this.#reasons.delete(keyOf(delivery));
      this.tell(reply, ACK);
      this.#host.acknowledged(stream);
    }, () => this.tell(reply, nak(RETRY_MS)));
    this.#host.busy(done);
  }
}
