import { JetStreamApiError, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import { StreamError } from "../../streams/stream_error.ts";
import { type JetStreamApi, WRONG_LAST } from "./jetstream_api.ts";

/** The stream of what gateways know of consumers together: a message for each. */
const STREAM = "socktool_consumers";
const PREFIX = "_socktool.consumer.";

/** How often to try again because another gateway was faster. */
const MAX_TRIES = 20;

/** What gateways know of a consumer beyond what JetStream does. */
export interface ConsumerState {
  /** Tells the consumer from an earlier one of its name: what is known of that does not count. */
  readonly incarnation: string;
  /** By number of a message: how many of its deliveries do not count as attempts. */
  readonly uncounted: Readonly<Record<string, number>>;
  /** Up to here it was told what retention dropped. */
  readonly told: number;
  /** Dead letters up to this number are delivered again. */
  readonly redrive: number;
}

/** Gateways that make a consumer within this time of each other make the same one, in milliseconds. */
const CLAIM_MS = 30_000;

/** What gateways know of one consumer together. Who changes it waits until all others see it. */
export class SharedRecord {
  readonly #api: JetStreamApi;
  readonly #incarnation: string;
  readonly #subject: string;
  #seq = 0;
  #state: ConsumerState;

  constructor(api: JetStreamApi, stream: string, consumer: string, incarnation: string) {
    this.#api = api;
    this.#incarnation = incarnation;
    this.#subject = `${PREFIX}${stream}.${consumer}`;
    this.#state = emptyState(incarnation);
  }

  /**
   * Names a consumer that is about to be made: gateways that do so at the same time get one name.
   *
   * @param isAnother Whether it replaces a consumer of the same name: then the name that is noted is not
   * taken, however new it is.
   * @throws {StreamError}
   */
  static async claim(
    api: JetStreamApi,
    stream: string,
    consumer: string,
    isAnother: boolean,
  ): Promise<string> {
    await needRecords(api);
    const record = new SharedRecord(api, stream, consumer, crypto.randomUUID());
    let earlier: string | undefined;
    for (let i = 0; i < MAX_TRIES; i++) {
      const stored = await record.#stored();
      const claimed = stored && stateOf(stored.string())?.incarnation;
      if (i === 0 && isAnother) earlier = claimed;
      const isYoung = stored && Math.abs(Date.now() - stored.time.getTime()) < CLAIM_MS;
      if (claimed !== undefined && claimed !== earlier && isYoung) return claimed;
      const isDone = await api.do(
        "Cannot note what is known of a consumer",
        (manager) => record.#write(manager, record.#state),
      );
      if (isDone) return record.#incarnation;
    }
    throw new StreamError("unavailable", "Other gateways change the consumer all the time");
  }

  /** As it was read last. */
  get state(): ConsumerState {
    return this.#state;
  }

  /** Reads it. @throws {StreamError} */
  async read(): Promise<ConsumerState> {
    const stored = await this.#stored();
    const state = stored && stateOf(stored.string());
    this.#state = state?.incarnation === this.#incarnation ? state : emptyState(this.#incarnation);
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

  async #stored(): Promise<StoredMsg | undefined> {
    const stored = await this.#api.messageOf(
      "Cannot read what is known of a consumer",
      STREAM,
      { last_by_subj: this.#subject },
    );
    this.#seq = stored?.seq ?? 0;
    return stored;
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

function emptyState(incarnation: string): ConsumerState {
  return { incarnation, uncounted: {}, told: 0, redrive: 0 };
}

function stateOf(text: string): ConsumerState | undefined {
  try {
    const { incarnation, uncounted, told, redrive } = JSON.parse(text);
    const isState = typeof incarnation === "string" && typeof uncounted === "object" &&
      uncounted !== null && Number.isSafeInteger(told) && Number.isSafeInteger(redrive);
    return isState ? { incarnation, uncounted, told, redrive } : undefined;
  } catch {
    return undefined;
  }
}
