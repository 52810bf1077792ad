import type { ConsumerInfo } from "@nats-io/jetstream";
import type { ConsumerCatalog } from "./consumer_catalog.ts";
import type { JetStreamApi } from "./jetstream_api.ts";
import { isSweptByUs } from "./stream_config.ts";

/** How long further acknowledgements are waited for after the first. */
const DELAY_MS = 100;

/**
 * Removes what all consumers of a stream are done with, where it is kept until then. JetStream's own
 * policies for that would drop what is published while there is no consumer.
 */
export class Sweeper {
  readonly #api: JetStreamApi;
  readonly #consumers: ConsumerCatalog;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #busy: (work: Promise<void>) => void;
  #isClosed = false;

  /** @param busy Is told of work that is under way. */
  constructor(api: JetStreamApi, consumers: ConsumerCatalog, busy: (work: Promise<void>) => void) {
    this.#api = api;
    this.#consumers = consumers;
    this.#busy = busy;
  }

  /** Something of a stream was acknowledged. */
  soon(stream: string): void {
    if (this.#isClosed || this.#timers.has(stream)) return;
    const sweep = () => {
      this.#timers.delete(stream);
      // What cannot be removed at the moment is at the next look.
      this.#busy(this.sweep(stream).catch(() => {}));
    };
    this.#timers.set(stream, setTimeout(sweep, DELAY_MS));
  }

  /** Removes what can be. @throws {StreamError} */
  async sweep(stream: string): Promise<void> {
    const tried = "Cannot remove what consumers are done with";
    const { config, state } = await this.#api.do(
      tried,
      (manager) => manager.streams.info(stream),
    );
    if (!isSweptByUs(config) || state.messages === 0) return;
    const consumers = await this.#consumers.infos(stream);
    if (consumers.length === 0) return;
    let done = state.last_seq;
    for (const consumer of consumers) done = Math.min(done, await this.#doneBy(consumer, done));
    if (done < state.first_seq) return;
    await this.#api.do(tried, (manager) => manager.streams.purge(stream, { seq: done + 1 }));
  }

  /** Removes nothing more, also after what is acknowledged from here on. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** The number up to which a consumer is done with all, `most` at most. */
  async #doneBy(info: ConsumerInfo, most: number): Promise<number> {
    const { config, stream_name: stream, ack_floor, delivered, num_ack_pending } = info;
    const done = num_ack_pending > 0 ? ack_floor.stream_seq : delivered.stream_seq;
    if (done >= most || config.filter_subject === undefined) return done;
    // Up to the next message that it gets, all others are none of its.
    const next = await this.#api.nextSeq(stream, done + 1, config.filter_subject);
    return next === undefined ? most : next - 1;
  }
}
