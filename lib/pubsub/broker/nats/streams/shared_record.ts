import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { StreamError } from "../../streams/stream_error.ts";
import { type JetStreamApi, WRONG_LAST } from "./jetstream_api.ts";

/** The stream of what gateways know of consumers together: a message for each. */
const STREAM = "socktool_consumers";
const PREFIX = "_socktool.consumer.";

/** How often to try again because another gateway was faster. */
const MAX_TRIES = 20;

/** What gateways know of a consumer beyond what JetStream does. */
export interface ConsumerState {
  /** When JetStream made the consumer: what is known of an earlier one does not count. */
  readonly created: string;
  /** By number of a message: how many of its deliveries do not count as attempts. */
  readonly uncounted: Readonly<Record<string, number>>;
  /** Up to here it was told what retention dropped. */
  readonly told: number;
  /** Dead letters up to this number are delivered again. */
  readonly redrive: number;
}

/** What gateways know of one consumer together. Who changes it waits until all others see it. */
export class SharedRecord {
  readonly #api: JetStreamApi;
  readonly #created: string;
  readonly #subject: string;
  #seq = 0;
  #state: ConsumerState;

  constructor(api: JetStreamApi, stream: string, consumer: string, created: string) {
    this.#api = api;
    this.#created = created;
    this.#subject = `${PREFIX}${stream}.${consumer}`;
    this.#state = emptyState(created);
  }

  /** As it was read last. */
  get state(): ConsumerState {
    return this.#state;
  }

  /** Reads it. @throws {StreamError} */
  async read(): Promise<ConsumerState> {
    const stored = await this.#api.messageOf(
      "Cannot read what is known of a consumer",
      STREAM,
      { last_by_subj: this.#subject },
    );
    this.#seq = stored?.seq ?? 0;
    const state = stored && stateOf(stored.string());
    this.#state = state?.created === this.#created ? state : emptyState(this.#created);
    return this.#state;
  }

  /**
   * Changes it.
   *
   * @param change Makes the next state of the last one; `undefined` if nothing is to change.
   * @throws {StreamError}
   */
  async change(
    change: (state: ConsumerState) => ConsumerState | undefined,
  ): Promise<ConsumerState | undefined> {
    for (let i = 0; i < MAX_TRIES; i++) {
      const next = change(await this.read());
      if (next === undefined) return undefined;
      const isDone = await this.#api.do(
        "Cannot note what is known of a consumer",
        (manager) => this.#write(manager, next),
      );
      if (isDone) return this.#state = next;
    }
    throw new StreamError("unavailable", "Other gateways change the consumer all the time");
  }

  /**
   * Notes that the last deliveries of messages do not count as attempts.
   *
   * @param first What is known of messages before this number is forgotten.
   * @throws {StreamError}
   */
  async uncount(keys: readonly number[], first: number): Promise<void> {
    await this.change((state) => {
      const uncounted = Object.fromEntries(
        Object.entries(state.uncounted).filter(([key]) => Number(key) < 0 || Number(key) >= first),
      );
      for (const key of keys) uncounted[key] = (uncounted[key] ?? 0) + 1;
      return { ...state, uncounted };
    });
  }

  async #write(manager: JetStreamManager, state: ConsumerState): Promise<boolean> {
    const options = { expect: { lastSubjectSequence: this.#seq } };
    try {
      await manager.jetstream().publish(this.#subject, JSON.stringify(state), options);
      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST) return false;
      throw error;
    }
  }
}

/** Makes the stream of the records. @throws {StreamError} */
export async function needRecords(api: JetStreamApi): Promise<void> {
  const tried = "Cannot note what is known of consumers";
  if (await api.find(tried, (manager) => manager.streams.info(STREAM))) return;
  await api.addStream(tried, {
    name: STREAM,
    subjects: [`${PREFIX}>`],
    max_msgs_per_subject: 1,
  });
}

/** Forgets what is known of a consumer that is gone. @throws {StreamError} */
export async function forgetRecord(
  api: JetStreamApi,
  stream: string,
  consumer: string,
): Promise<void> {
  const filter = `${PREFIX}${stream}.${consumer}`;
  await api.find(
    "Cannot forget a consumer",
    (manager) => manager.streams.purge(STREAM, { filter }),
  );
}

function emptyState(created: string): ConsumerState {
  return { created, uncounted: {}, told: 0, redrive: 0 };
}

function stateOf(text: string): ConsumerState | undefined {
  try {
    const { created, uncounted, told, redrive } = JSON.parse(text);
    const isState = typeof created === "string" && typeof uncounted === "object" &&
      uncounted !== null && Number.isSafeInteger(told) && Number.isSafeInteger(redrive);
    return isState ? { created, uncounted, told, redrive } : undefined;
  } catch {
    return undefined;
  }
}
