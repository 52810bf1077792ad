/**
 * A line between two threads. One puts a request into memory that both share and wakes the other; the
 * other puts its answer there, and posts only that it has. There and back takes about 10 µs. To post a
 * small object each way, which is cloned, takes 30 µs and three times the processor time.
 *
 * @module
 */

/** The words that both threads look at: how often it rang; messages, requests and answers so far. */
const BELL = 0, POSTED = 1, ASKED = 2, REQUEST_BYTES = 3, ANSWER_BYTES = 4, ANSWERED = 5;
/** By what the asking thread learns of the answer: a message, or this word, for which it waits. */
const TELLER = 6;
const MESSAGE = 0, WAITED_FOR = 1, TAKEN = 2;
/** How many other messages the asking thread has received. */
const HEARD = 7;
const WORDS = 8;

const HEAD_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;

/** The memory of a line, which can be posted. */
export interface LineMemory {
  /** The words, room for a request, room for an answer. */
  readonly memory: SharedArrayBuffer;
  /** The size of that room, in bytes. */
  readonly requestBytes: number;
}

/** Why {@linkcode AnsweringEnd.wait} has returned. */
export type Wakened = "asked" | "posted" | "timed-out";

/** The end of the thread that asks. One request is under way at a time. */
export class AskingEnd {
  /** What the other thread needs. */
  readonly line: LineMemory;
  /** Where the next request is written. Not to be touched while one is under way. */
  readonly request: Uint8Array;
  readonly #words: Int32Array;
  readonly #answer: Uint8Array;

  /**
   * Takes the memory of a line.
   *
   * @param requestBytes The most bytes of a request, a multiple of 8.
   * @param answerBytes The most bytes of an answer, a multiple of 8.
   */
  constructor(requestBytes: number, answerBytes: number) {
    const memory = new SharedArrayBuffer(HEAD_BYTES + requestBytes + answerBytes);
    this.line = { memory, requestBytes };
    this.#words = new Int32Array(memory, 0, WORDS);
    this.request = new Uint8Array(memory, HEAD_BYTES, requestBytes);
    this.#answer = new Uint8Array(memory, HEAD_BYTES + requestBytes);
  }

  /** A message was posted to the other thread: it is woken to receive it. */
  posted(): void {
    Atomics.add(this.#words, POSTED, 1);
    this.#ring();
  }

  /**
   * Has the other thread deal with the first bytes of {@linkcode AskingEnd.request}. That posts a
   * message when it has answered. To wait with `Atomics.waitAsync` would save no time, and on a busy
   * machine its promise once in a while stayed pending until something else woke the event loop.
   *
   * @param takes Whether {@linkcode AskingEnd.takeAnswer} is called next.
   */
  ask(bytes: number, takes = false): void {
    this.#words[REQUEST_BYTES] = bytes;
    Atomics.store(this.#words, TELLER, takes ? WAITED_FOR : MESSAGE);
    Atomics.add(this.#words, ASKED, 1);
    this.#ring();
  }

  /** Whether the last request was answered, or there was none. */
  get isAnswered(): boolean {
    return Atomics.load(this.#words, ANSWERED) === Atomics.load(this.#words, ASKED);
  }

  /**
   * Sleeps until the last request is answered; only for threads that may sleep.
   *
   * @returns whether it is; `false` if that takes longer.
   */
  waitForAnswer(timeoutMs: number): boolean {
    const asked = Atomics.load(this.#words, ASKED);
    // It is the only request, so the word changes once.
    Atomics.wait(this.#words, ANSWERED, asked - 1 | 0, timeoutMs);
    return this.isAnswered;
  }

  /**
   * Sleeps until the last request is answered, which was made to be waited for. To be told by a message takes
   * longer: that is cloned, and comes through the event loop.
   *
   * @returns whether the answer was taken; otherwise a message tells of it, or has it.
   */
  takeAnswer(timeoutMs: number): boolean {
    Atomics.wait(this.#words, TELLER, WAITED_FOR, timeoutMs);
    // From here on it is too late for the other thread to leave the message out.
    return Atomics.exchange(this.#words, TELLER, MESSAGE) === TAKEN;
  }

  /** The answer to the last request: a view that is valid until the next one. */
  get answer(): Uint8Array {
    return this.#answer.subarray(0, Atomics.load(this.#words, ANSWER_BYTES));
  }

  /** One of the messages was received for which the other end calls {@linkcode AnsweringEnd.told}. */
  heard(): void {
    Atomics.add(this.#words, HEARD, 1);
  }

  #ring(): void {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
  }
}

/**
 * The end of the thread that answers. While it sleeps in {@linkcode AnsweringEnd.wait} it receives no
 * message, and no timer or promise of it goes on: it returns from there to receive one.
 */
export class AnsweringEnd {
  /** Where answers are written. */
  readonly answer: Uint8Array;
  readonly #words: Int32Array;
  readonly #request: Uint8Array;
  #received = 0;
  #asked = 0;
  #told = 0;

  constructor({ memory, requestBytes }: LineMemory) {
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#request = new Uint8Array(memory, HEAD_BYTES, requestBytes);
    this.answer = new Uint8Array(memory, HEAD_BYTES + requestBytes);
  }

  /** One of the messages was received for which the other end calls {@linkcode AskingEnd.posted}. */
  received(): void {
    this.#received++;
  }

  /** Whether there is a request, or a message is to be received. */
  get isCalled(): boolean {
    return Atomics.load(this.#words, POSTED) !== this.#received ||
      Atomics.load(this.#words, ASKED) !== this.#asked;
  }

  /** Sleeps until there is a request, or a message is to be received, which comes first. */
  wait(timeoutMs: number): Wakened {
    while (true) {
      const bell = Atomics.load(this.#words, BELL);
      if (Atomics.load(this.#words, POSTED) !== this.#received) return "posted";
      if (Atomics.load(this.#words, ASKED) !== this.#asked) {
        this.#asked = Atomics.load(this.#words, ASKED);
        return "asked";
      }
      if (Atomics.wait(this.#words, BELL, bell, timeoutMs) === "timed-out") return "timed-out";
    }
  }

  /** The request: a view that is valid until it is answered. */
  get request(): Uint8Array {
    return this.#request.subarray(0, this.#words[REQUEST_BYTES]);
  }

  /** A message was posted to the other thread that has to be received before later answers. */
  told(): void {
    this.#told = this.#told + 1 | 0;
  }

  /**
   * The answer is the first bytes of {@linkcode AnsweringEnd.answer}; `undefined` if a message has it.
   *
   * @returns whether the other thread takes it from there. Otherwise a message has to tell of it, where that
   * thread neither looks nor sleeps.
   */
  answered(bytes: number | undefined): boolean {
    Atomics.store(this.#words, ANSWER_BYTES, bytes ?? 0);
    Atomics.add(this.#words, ANSWERED, 1);
    Atomics.notify(this.#words, ANSWERED);
    const isInTurn = Atomics.load(this.#words, HEARD) === this.#told;
    const teller = bytes !== undefined && isInTurn ? TAKEN : MESSAGE;
    const isWaitedFor = Atomics.exchange(this.#words, TELLER, teller) === WAITED_FOR;
    if (isWaitedFor) Atomics.notify(this.#words, TELLER);
    return isWaitedFor && teller === TAKEN;
  }
}
