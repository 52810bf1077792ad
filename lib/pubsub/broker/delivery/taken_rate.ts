/** What receivers have to take together, in bytes. */
const LEAST_BYTES_PER_MS = 65_536 / 1_000;

/** How much of it they may have taken in advance, and how much they are trusted with at first. */
const MAX_CREDIT_BYTES = 131_072;
const FIRST_CREDIT_BYTES = 16_384;

/**
 * A look is not charged with more time than this: where more has passed, the broker itself did not
 * run, or the publisher had nothing to publish.
 */
export const MAX_LOOK_MS = 50;

/** Sockets that take nothing for this long have paused. */
const PAUSE_MS = 100;

/** A pause may be up to this many times as long as the one before. */
const PAUSE_GROWTH = 2;

/**
 * Whether the sockets of receivers that are behind take 64 KiB/s. A socket takes bytes in lumps: once
 * it is full, Linux lets it take more when a third of its buffer is free, which may be 1.4 MB. So a
 * receiver that reads 500 KB/s takes nothing for almost three seconds, again and again. A pause is
 * allowed by what was taken in advance, for two seconds at most, or when the last one was about as
 * long and ended with enough for its time.
 */
export class TakenRate {
  #creditBytes = FIRST_CREDIT_BYTES;
  /** For how long nothing has been taken. */
  #quietMs = 0;
  /** The pause before what is being taken now, and the last one that ended with enough. */
  #pauseMs = 0;
  #goodPauseMs = 0;
  /** What was taken since that pause began, and how long ago this was. */
  #periodBytes = 0;
  #periodMs = 0;

  /** Whether enough was taken lately. */
  get isEnough(): boolean {
    return this.#creditBytes > 0 || this.#quietMs < this.#goodPauseMs * PAUSE_GROWTH;
  }

  /** Notes bytes that were taken while not all receivers were behind. */
  credit(bytes: number): void {
    this.#creditBytes = Math.min(MAX_CREDIT_BYTES, this.#creditBytes + bytes);
    this.#quietMs = this.#periodBytes = this.#periodMs = 0;
  }

  /** Notes how many bytes were taken in some time in which all receivers were behind. */
  add(bytes: number, elapsedMs: number): void {
    const ms = Math.min(elapsedMs, MAX_LOOK_MS);
    const credit = this.#creditBytes + bytes - LEAST_BYTES_PER_MS * ms;
    this.#creditBytes = Math.min(MAX_CREDIT_BYTES, Math.max(0, credit));
    this.#periodMs += ms;
    if (bytes > 0) {
      if (this.#quietMs >= PAUSE_MS) this.#pauseMs = this.#quietMs;
      this.#quietMs = 0;
      this.#periodBytes += bytes;
      return;
    }
    const began = this.#quietMs < PAUSE_MS && this.#quietMs + ms >= PAUSE_MS;
    this.#quietMs += ms;
    if (began) this.#beginPause();
  }

  /** Judges the last pause by what followed it. */
  #beginPause(): void {
    const isGood = this.#periodBytes >= LEAST_BYTES_PER_MS * this.#periodMs;
    this.#goodPauseMs = isGood ? this.#pauseMs : 0;
    this.#pauseMs = this.#periodBytes = 0;
    this.#periodMs = this.#quietMs;
  }
}
