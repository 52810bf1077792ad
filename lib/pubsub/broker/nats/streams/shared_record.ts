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
  #state: ConsumerState;
  /** What is about to be asked. */
  #reading: Promise<ConsumerState> | undefined;

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
    let claimed: string | undefined;
    let earlier: string | undefined;
    let isFirst = true;
    const written = await record.#write((stored) => {
      claimed = stored && stateOf(stored.string())?.incarnation;
      if (isFirst && isAnother) earlier = claimed;
      isFirst = false;
      const isYoung = stored && Math.abs(Date.now() - stored.time.getTime()) < CLAIM_MS;
      const isTaken = claimed !== undefined && claimed !== earlier && isYoung;
      return isTaken ? undefined : record.#state;
    });
    return written?.incarnation ?? claimed!;
  }

  /** As it was read last. */
  get state(): ConsumerState {
    return this.#state;
  }

  /**
   * Reads it. Calls in the same moment share one answer: a thousand messages that are delivered again
   * cause a thousand calls.
   *
   * @throws {StreamError}
   */
  read(): Promise<ConsumerState> {
    return this.#reading ??= Promise.resolve().then(async () => {
      this.#reading = undefined;
      return this.#take(await this.#stored());
    });
  }

  /**
   * Changes it.
   *
   * @param change Makes the next state of the last one; `undefined` if nothing is to change.
   * @throws {StreamError}
   */
  async change(change: (state: ConsumerState) => ConsumerState | undefined): Promise<void> {
    const next = await this.#write((stored) => change(this.#take(stored)));
    if (next) this.#state = next;
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
    const query = { last_by_subj: this.#subject };
    return await this.#api.messageOf("Cannot read what is known of a consumer", STREAM, query);
  }

  /** Takes over what is stored, if it is about this consumer. */
  #take(stored: StoredMsg | undefined): ConsumerState {
    const state = stored && stateOf(stored.string());
    this.#state = state?.incarnation === this.#incarnation ? state : emptyState(this.#incarnation);
    return this.#state;
  }

  /**
   * Stores a state; tries again if another gateway was faster.
   *
   * @param next Makes the state of what is stored; `undefined` if nothing is to be stored.
   * @returns What was stored.
   * @throws {StreamError}
   */
  async #write(
    next: (stored: StoredMsg | undefined) => ConsumerState | undefined,
  ): Promise<ConsumerState | undefined> {
    for (let i = 0; i < MAX_TRIES; i++) {
      const stored = await this.#stored();
      const state = next(stored);
      if (state === undefined) return undefined;
      const isDone = await this.#api.do(
        "Cannot note what is known of a consumer",
        (manager) => this.#publish(manager, state, stored?.seq ?? 0),
      );
      if (isDone) return state;
    }
    throw new StreamError("unavailable", "Other gateways change the consumer all the time");
  }

  /**
   * @param last The number of the message that it replaces; 0 if there is none.
   * @returns `false` if another gateway was faster.
   */
  async #publish(manager: JetStreamManager, state: ConsumerState, last: number): Promise<boolean> {
    const options = { expect: { lastSubjectSequence: last } };
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
