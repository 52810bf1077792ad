import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import type { NatsLink } from "../nats_link.ts";
import { DEFAULT_MAX_PAYLOAD } from "../wire/server_info.ts";
import { NANOS } from "./stream_config.ts";

/** How long a request for messages waits at the server. */
const EXPIRES_MS = 3_000;

/** After this time more nothing comes: the server that had the request is gone. */
const GRACE_MS = 1_000;

/** How many bytes a request for a batch asks for, beyond the size of the largest message. */
export const MAX_BATCH_BYTES = 131_072;

/** What a {@linkcode PullSource} tells of. */
export interface PullEvents {
  /** A message came. */
  message(message: Msg): void;
  /**
   * Fewer messages come than were asked for.
   *
   * @param isGone Whether the consumer may not exist any more.
   */
  ended(isGone: boolean): void;
}

/** A request for messages. */
interface Pull {
  left: number;
  readonly at: number;
  readonly until: number;
}

/** Asks a consumer of JetStream for messages, as many as are wanted. */
export class PullSource {
  readonly #link: NatsLink;
  readonly #subject: string;
  readonly #events: PullEvents;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  /** By number, in the order in which a server serves them. */
  readonly #pulls = new Map<number, Pull>();
  readonly #staleMs: number;
  #last = 0;
  #asked = 0;
  #isClosing = false;

  /**
   * @param staleMs What comes this long after it was asked for is dropped: this program was stopped,
   * and JetStream has given it to somebody else meanwhile.
   */
  constructor(
    link: NatsLink,
    stream: string,
    consumer: string,
    events: PullEvents,
    staleMs = Infinity,
  ) {
    this.#staleMs = Math.max(staleMs, EXPIRES_MS + GRACE_MS);
    this.#link = link;
    this.#events = events;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#subscription = link.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#take(message);
      },
    });
  }

  /** Messages that may still come. */
  get asked(): number {
    return this.#asked;
  }

  /** Requests that are not answered to the end. */
  get pulls(): number {
    return this.#pulls.size;
  }

  /** Asks for messages. */
  pull(count: number): void {
    const maxPayload = this.#link.connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
    const order = {
      batch: count,
      expires: EXPIRES_MS * NANOS,
      // The next message always fits.
      max_bytes: maxPayload + MAX_BATCH_BYTES,
    };
    const number = ++this.#last;
    const at = performance.now();
    this.#pulls.set(number, { left: count, at, until: at + EXPIRES_MS + GRACE_MS });
    this.#asked += count;
    const reply = `${this.#inbox}.${number}`;
    this.#link.connection.publish(this.#subject, JSON.stringify(order), { reply });
  }

  /** Forgets what nobody answers any more. */
  look(now: number): void {
    let isGone = false;
    for (const [number, { until }] of this.#pulls) {
      if (until > now) break;
      this.#end(number);
      isGone = true;
    }
    if (isGone) this.#ended(true);
  }

  /** The connection was made again: nothing that was asked for comes. */
  forget(): void {
    for (const number of [...this.#pulls.keys()]) this.#end(number);
    this.#ended(true);
  }

  /** Asks for nothing more. What was asked for may still come for some seconds. */
  close(): void {
    this.#isClosing = true;
    if (this.#pulls.size === 0) this.#subscription.unsubscribe();
  }

  /** Takes nothing more. */
  cut(): void {
    this.#isClosing = true;
    this.#pulls.clear();
    this.#subscription.unsubscribe();
  }

  #take(message: Msg): void {
    const { subject } = message;
    if (!subject.startsWith(this.#inbox)) {
      let isStale = this.#staleMs !== Infinity;
      for (const [number, pull] of this.#pulls) {
        isStale = performance.now() - pull.at > this.#staleMs;
        pull.left--;
        this.#asked--;
        if (pull.left === 0) this.#pulls.delete(number);
        break;
      }
      if (!isStale) this.#events.message(message);
      if (this.#isClosing) this.close();
      return;
    }
    // Those of stored messages may be such that the client cannot read them.
    const { headers } = message;
    const code = headers?.code ?? 0;
    if (code === 100) return;
    const isGone = code === 503 || (code === 409 && !/bytes/i.test(headers!.description));
    this.#end(Number(subject.slice(this.#inbox.length + 1)));
    this.#ended(isGone);
  }

  #end(number: number): void {
    const pull = this.#pulls.get(number);
    if (pull === undefined) return;
    this.#pulls.delete(number);
    this.#asked -= pull.left;
  }

  #ended(isGone: boolean): void {
    if (this.#isClosing) this.close();
    else this.#events.ended(isGone);
  }
}
