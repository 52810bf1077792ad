import { timerMs } from "../../lib/base/timer_ms.ts";
import { PubSubError } from "../../lib/pubsub/client/pubsub_error.ts";
import { EXIT, formatCount, formatDuration, type Log } from "../_cli/mod.ts";

/** The values of the flags that bound `sub`. */
export interface BoundFlags {
  readonly count: number | undefined;
  readonly timeout: number | undefined;
}

/** What ends `sub` by itself: the messages of `--count`, and the time of `--timeout`. */
export class SubBounds implements Disposable {
  /** How many messages are wanted; without it, all that come. */
  readonly count: number | undefined;
  /** The name of the broker in errors. */
  server = "The broker";
  readonly #timeoutMs: number;
  readonly #time = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** The time begins. */
  constructor({ count, timeout }: BoundFlags) {
    this.count = count;
    this.#timeoutMs = timeout ?? 0;
    if (timeout === undefined) return;
    this.#timer = setTimeout(() => this.#time.abort(), timerMs("--timeout", timeout));
  }

  /** Aborted when the time is over. */
  get timeUp(): AbortSignal {
    return this.#time.signal;
  }

  /** The exit code when this many messages have come: too few are a failure, which is told. */
  exitCode(taken: number, log: Log): number | undefined {
    const { count } = this;
    if (count === undefined || taken >= count) return undefined;
    const time = formatDuration(this.#timeoutMs);
    log.error(`${taken} of ${formatCount(count, "message")} came in ${time}`, {
      code: "too-few-messages",
    });
    return EXIT.failed;
  }

  /** The error of one whose time was over before the broker had agreed to anything. */
  unconfirmed(what: string): PubSubError {
    const time = formatDuration(this.#timeoutMs);
    return new PubSubError("timed-out", `${this.server} did not confirm ${what} in ${time}`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
