import type {
  MissedPublications,
  MissedReason,
  PubSubMessage,
} from "../../lib/pubsub/client/mod.ts";
import { type Context, formatBytes, formatExactCount } from "../_cli/mod.ts";
import { printMessage, type PrintOptions } from "./incoming.ts";
import type { Replier } from "./replier.ts";

/** Which messages are taken, and what is done with them. */
export interface TakenOptions {
  /** How many; without it, all. */
  readonly count: number | undefined;
  /** Whether only retained ones. */
  readonly retained: boolean;
  readonly printing: PrintOptions;
  /** Answers those that want a reply. */
  readonly replier: Replier | undefined;
}

/** What `sub` does with the messages that come: it prints each once, has it answered, and counts. */
export class TakenMessages {
  /** How many were taken. */
  count = 0;
  /** Resolves when there are as many as were wanted. */
  readonly complete: Promise<void>;
  readonly #options: TakenOptions;
  readonly #context: Context;
  /** One that matches several filters arrives once, and is handed to each subscription. */
  readonly #printed = new WeakSet<PubSubMessage>();
  readonly #enough = Promise.withResolvers<void>();

  /** None was taken. */
  constructor(options: TakenOptions, context: Context) {
    this.#options = options;
    this.#context = context;
    this.complete = this.#enough.promise;
  }

  /** Whether there are as many as were wanted. */
  get isComplete(): boolean {
    return this.count === this.#options.count;
  }

  /** Takes a message. Resolves when the next may come. */
  async take(message: PubSubMessage): Promise<void> {
    const { retained, printing, replier } = this.#options;
    if (this.#printed.has(message) || this.isComplete || (retained && !message.retained)) return;
    this.#printed.add(message);
    this.count++;
    const room = printMessage(message, printing, this.#context.out);
    await replier?.answer(message);
    if (this.isComplete) this.#enough.resolve();
    if (room) await room;
  }

  /** Tells what was missed. Who has got as many as were wanted misses nothing. */
  missed(missed: MissedPublications): void {
    if (!this.isComplete) tellMissed(missed, this.#context, this.#options.printing.json === true);
  }
}

/** Why messages were missed, in words. */
const WHY_MISSED: Readonly<Record<MissedReason, string>> = {
  slow: "too slow",
  "too-large": "too large",
  disconnected: "there was no connection",
  lost: "lost between brokers",
};

function tellMissed(
  { filter, count, atLeast, bytes, reason }: MissedPublications,
  { out, log }: Context,
  json: boolean,
): void {
  const counted = count === null ? "unknown" : formatExactCount(count, "message");
  const missed = atLeast ? `${counted} or more` : counted;
  const size = bytes === null ? "" : ` (${formatBytes(bytes)})`;
  log.warn(`missed ${missed}${size} of ${filter}: ${WHY_MISSED[reason]}`);
  if (json) {
    out.json({ type: "missed", filter, count, atLeast: atLeast || undefined, bytes, reason });
  }
}
