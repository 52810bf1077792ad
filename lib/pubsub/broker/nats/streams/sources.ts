import type { Msg } from "@nats-io/transport-node";
import { DEAD_LETTERS } from "../../streams/dead_letter.ts";
import type { NatsLink } from "../nats_link.ts";
import { PullSource } from "./pull_source.ts";

/** Messages that are asked for by one request, and requests at one time. */
const MAX_PULL = 1_000;
const MAX_PULLS = 2;

/** What {@linkcode Sources} tell of. */
export interface SourcesEvents {
  message(message: Msg, isLetter: boolean): void;
  /** Fewer come than were asked for. */
  ended(): void;
}

/** The name of the consumer of JetStream by which dead letters are delivered again. */
export function redriveName(stream: string, consumer: string): string {
  return `${stream}=${consumer}`;
}

/** Where the messages of a consumer come from: its stream, and dead letters that come again. */
export class Sources {
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #consumer: string;
  readonly #events: SourcesEvents;
  readonly #waitMs: number;
  readonly #main: PullSource;
  #letters: PullSource | undefined;

  /**
   * @param hasLetters Whether there are dead letters that come again.
   * @param waitMs How long JetStream waits for an acknowledgement.
   */
  constructor(
    link: NatsLink,
    stream: string,
    consumer: string,
    hasLetters: boolean,
    waitMs: number,
    events: SourcesEvents,
  ) {
    this.#waitMs = waitMs;
    this.#link = link;
    this.#stream = stream;
    this.#consumer = consumer;
    this.#events = events;
    this.#main = this.#open(stream, consumer, false);
    if (hasLetters) this.openLetters();
  }

  /** Begins to deliver dead letters again. */
  openLetters(): void {
    this.#letters ??= this.#open(DEAD_LETTERS, redriveName(this.#stream, this.#consumer), true);
  }

  /** Asks for more, until `count` messages are asked for in all. */
  pull(count: number): void {
    for (const source of [this.#letters, this.#main]) {
      if (source === undefined || source.pulls >= MAX_PULLS) continue;
      const more = Math.min(count - source.asked, MAX_PULL);
      if (more > 0) source.pull(more);
    }
  }

  look(now: number): void {
    this.#main.look(now);
    this.#letters?.look(now);
  }

  forget(): void {
    this.#main.forget();
    this.#letters?.forget();
  }

  close(): void {
    this.#main.close();
    this.#letters?.close();
  }

  cut(): void {
    this.#main.cut();
    this.#letters?.cut();
  }

  #open(stream: string, consumer: string, isLetter: boolean): PullSource {
    return new PullSource(this.#link, stream, consumer, {
      message: (message) => this.#events.message(message, isLetter),
      ended: (isGone) => {
        // Where the consumer is gone or without a leader it is not asked again at once.
        if (!isGone) this.#events.ended();
      },
    }, this.#waitMs);
  }
}
