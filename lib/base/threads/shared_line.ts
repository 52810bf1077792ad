/**
 * A line between two threads. One puts a request into memory that both share and wakes the other; the
 * other puts its answer there, and posts only that it has. There and back takes about 10 µs. To post a
 * small object each way, which is cloned, takes 30 µs and three times the processor time.
 *
 * @module
 */

/** The words that both threads look at: how often it rang; messages and answers so far. */
const BELL = 0, POSTED = 1, ANSWERED = 2;
/** The request whose answer the asking thread sleeps for, by a number above 0. Messages tell of others. */
const AWAITED = 3;
const NONE = 0;
/** How many other messages the asking thread has received. */
const HEARD = 4;
const WORDS = 5;

/** The words of a place: whose it is, the sizes, and how many messages come before the answer. */
const STATE = 0, REQUEST_BYTES = 1, ANSWER_BYTES = 2, TOLD = 3;
const FREE = 0, ASKED = 1, BEGUN = 2, DONE = 3;
const PLACE_WORDS = 4;

/** Instead of a size: a message has the answer. */
const NO_BYTES = -1;

/** The memory of a line, which can be posted. */
export interface LineMemory {
  /** The words, then for each place room for a request and for an answer. */
  readonly memory: SharedArrayBuffer;
  /** The sizes of that room, in bytes. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** The most requests that are under way at the same time. */
  readonly places: number;
}

/** A part of the memory, for a request and its answer. */
class Place {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  /** As its words above. */
  readonly words: Int32Array;

  constructor({ memory, requestBytes, answerBytes, places }: LineMemory, number: number) {
    const ints = Int32Array.BYTES_PER_ELEMENT;
    this.words = new Int32Array(memory, ints * (WORDS + number * PLACE_WORDS), PLACE_WORDS);
    const room = headBytes(places) + number * (requestBytes + answerBytes);
    this.request = new Uint8Array(memory, room, requestBytes);
    this.answer = new Uint8Array(memory, room + requestBytes, answerBytes);
  }
}

function headBytes(places: number): number {
  const bytes = Int32Array.BYTES_PER_ELEMENT * (WORDS + places * PLACE_WORDS);
  return Math.ceil(bytes / 8) * 8;
}

function placesOf(line: LineMemory): readonly Place[] {
  return Array.from({ length: line.places }, (_, number) => new Place(line, number));
}

/** What stands for a request in the word for which the asking thread sleeps. */
function awaitedNumber(request: number): number {
  return request % 2 ** 30 + 1;
}

/** Why {@linkcode AnsweringEnd.wait} has returned. */
export type Wakened = "asked" | "posted" | "timed-out";

/**
 * The end of the thread that asks. Requests are answered in their order. The memory of one is used again
 * when its answer is {@linkcode AskingEnd.free}d.
 */
export class AskingEnd {
  /** What the other thread needs. */
  readonly line: LineMemory;
  readonly #words: Int32Array;
  readonly #places: readonly Place[];
  /** How many requests were asked, and how many answers freed. */
  #asked = 0;
  #freed = 0;
  #heard = 0;

  /**
   * Takes the memory of a line.
   *
   * @param requestBytes The most bytes of a request, a multiple of 8.
   * @param answerBytes The most bytes of an answer, a multiple of 8.
   * @param places The most requests that are under way at the same time.
   */
  constructor(requestBytes: number, answerBytes: number, places = 1) {
    const bytes = headBytes(places) + places * (requestBytes + answerBytes);
    const memory = new SharedArrayBuffer(bytes);
    this.line = { memory, requestBytes, answerBytes, places };
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#places = placesOf(this.line);
  }

  /** How many requests are under way, or have an answer that is not freed. */
  get underWay(): number {
    return this.#asked - this.#freed;
  }

  /** Where the next request is written, if fewer are under way than there are places. */
  get request(): Uint8Array {
    return this.#place(this.#asked).request;
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
    const { words } = this.#place(this.#asked++);
    words[REQUEST_BYTES] = bytes;
    if (takes) Atomics.store(this.#words, AWAITED, awaitedNumber(this.#freed));
    Atomics.store(words, STATE, ASKED);
    this.#ring();
  }

  /**
   * Takes the last request back, if the other thread has not begun with it.
   *
   * @returns whether it is: it still stands in {@linkcode AskingEnd.request}, and was never asked.
   */
  takeBack(): boolean {
    if (this.underWay === 0) return false;
    const { words } = this.#place(this.#asked - 1);
    if (Atomics.compareExchange(words, STATE, ASKED, FREE) !== ASKED) return false;
    this.#asked--;
    return true;
  }

  /** Whether the oldest request is answered on the line, or there is none. */
  get isAnswered(): boolean {
    if (this.underWay === 0) return true;
    const { words } = this.#place(this.#freed);
    return Atomics.load(words, STATE) === DONE && words[ANSWER_BYTES] !== NO_BYTES &&
      (this.#heard - words[TOLD]! | 0) >= 0;
  }

  /**
   * Sleeps until the only request is answered; only for threads that may sleep.
   *
   * @returns whether it is; `false` if that takes longer.
   */
  waitForAnswer(timeoutMs: number): boolean {
    // It is the only request, so the word changes once.
    if (!this.isAnswered) Atomics.wait(this.#words, ANSWERED, this.#asked - 1 | 0, timeoutMs);
    return this.isAnswered;
  }

  /**
   * Sleeps until the oldest request is answered; the last one was made to be waited for. To be told by a
   * message takes longer: that is cloned, and comes through the event loop.
   *
   * @returns whether it is answered on the line. A message tells of it as well, if it was answered before
   * the last one was made. If it is not, a message tells of it, or has it.
   */
  takeAnswer(timeoutMs: number): boolean {
    const { words } = this.#place(this.#freed);
    // The other thread looks at its word once the answer is there: one of the two sees the other.
    const isDone = Atomics.load(words, STATE) === DONE;
    if (!isDone) Atomics.wait(this.#words, AWAITED, awaitedNumber(this.#freed), timeoutMs);
    // From here on the message is not left out; before, it was only where the answer is there by now.
    Atomics.store(this.#words, AWAITED, NONE);
    return this.isAnswered;
  }

  /** The answer to the oldest request: a view that is valid until it is freed. */
  get answer(): Uint8Array {
    const { answer, words } = this.#place(this.#freed);
    return answer.subarray(0, Math.max(0, words[ANSWER_BYTES]!));
  }

  /** The answer to the oldest request is not needed any more, or a message had it. */
  free(): void {
    const { words } = this.#place(this.#freed++);
    Atomics.store(words, STATE, FREE);
  }

  /** One of the messages was received for which the other end calls {@linkcode AnsweringEnd.told}. */
  heard(): void {
    this.#heard = this.#heard + 1 | 0;
    Atomics.store(this.#words, HEARD, this.#heard);
  }

  #place(number: number): Place {
    return this.#places[number % this.#places.length]!;
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
  readonly #words: Int32Array;
  readonly #places: readonly Place[];
  #received = 0;
  /** How many requests were begun, and how many of them answered. */
  #begun = 0;
  #answered = 0;
  #told = 0;

  constructor(line: LineMemory) {
    this.#words = new Int32Array(line.memory, 0, WORDS);
    this.#places = placesOf(line);
  }

  /** One of the messages was received for which the other end calls {@linkcode AskingEnd.posted}. */
  received(): void {
    this.#received = this.#received + 1 | 0;
  }

  /** Whether there is a request, or a message is to be received. */
  get isCalled(): boolean {
    return this.#isPosted || Atomics.load(this.#place(this.#begun).words, STATE) === ASKED;
  }

  /** Whether a message is to be received. One may be received before it is counted as posted. */
  get #isPosted(): boolean {
    return (Atomics.load(this.#words, POSTED) - this.#received | 0) > 0;
  }

  /** Sleeps until there is a request, or a message is to be received, which comes first. */
  wait(timeoutMs: number): Wakened {
    while (true) {
      const bell = Atomics.load(this.#words, BELL);
      if (this.#isPosted) return "posted";
      const { words } = this.#place(this.#begun);
      if (Atomics.compareExchange(words, STATE, ASKED, BEGUN) === ASKED) {
        this.#begun++;
        return "asked";
      }
      if (Atomics.wait(this.#words, BELL, bell, timeoutMs) === "timed-out") return "timed-out";
    }
  }

  /** The request: a view that is valid until it is answered. */
  get request(): Uint8Array {
    const { request, words } = this.#place(this.#answered);
    return request.subarray(0, words[REQUEST_BYTES]);
  }

  /** Where its answer is written. */
  get answer(): Uint8Array {
    return this.#place(this.#answered).answer;
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
    const number = awaitedNumber(this.#answered);
    const { words } = this.#place(this.#answered++);
    words[ANSWER_BYTES] = bytes ?? NO_BYTES;
    words[TOLD] = this.#told;
    Atomics.store(words, STATE, DONE);
    Atomics.add(this.#words, ANSWERED, 1);
    Atomics.notify(this.#words, ANSWERED);
    const isInTurn = Atomics.load(this.#words, HEARD) === this.#told;
    // This answer only: the other thread may have taken it already, and sleep for the next one.
    if (Atomics.compareExchange(this.#words, AWAITED, number, NONE) !== number) return false;
    Atomics.notify(this.#words, AWAITED);
    return bytes !== undefined && isInTurn;
  }

  #place(number: number): Place {
    return this.#places[number % this.#places.length]!;
  }
}
