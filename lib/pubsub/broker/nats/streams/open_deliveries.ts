import { MAX_TIMER_MS } from "../../../../base/timer_ms.ts";
import { keyOf, type OpenDelivery } from "./open_delivery.ts";

/** The deliveries of a consumer that members here have. */
export class OpenDeliveries {
  readonly #byNumber = new Map<number, OpenDelivery>();
  readonly #byKey = new Map<number, OpenDelivery>();
  readonly #onDue: (delivery: OpenDelivery) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** @param onDue Is told of one whose time is up. It is still among them. */
  constructor(onDue: (delivery: OpenDelivery) => void) {
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  /** All of them, as they are now. */
  get all(): readonly OpenDelivery[] {
    return [...this.#byNumber.values()];
  }

  get(number: number): OpenDelivery | undefined {
    return this.#byNumber.get(number);
  }

  add(delivery: OpenDelivery): void {
    this.#byNumber.set(delivery.number, delivery);
    this.#byKey.set(keyOf(delivery), delivery);
    this.#arm(delivery.dueAt);
  }

  remove(delivery: OpenDelivery): void {
    this.#byNumber.delete(delivery.number);
    this.#byKey.delete(keyOf(delivery));
    delivery.member.open--;
    if (this.size === 0) this.#disarm();
  }

  /** Removes the delivery of a message that is delivered again: JetStream has given up waiting. */
  removeOf(key: number): void {
    const delivery = this.#byKey.get(key);
    if (delivery) this.remove(delivery);
  }

  clear(): void {
    for (const delivery of this.all) this.remove(delivery);
  }

  /** The most attempts of one of them, and since when the oldest is open, of `performance.now()`. */
  oldest(now: number): { readonly attempts: number; readonly takenAt: number } {
    let attempts = 0;
    let takenAt = now;
    for (const delivery of this.#byNumber.values()) {
      attempts = Math.max(attempts, delivery.attempt);
      takenAt = Math.min(takenAt, delivery.takenAt);
    }
    return { attempts, takenAt };
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const ms = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => this.#expire(), Math.min(ms, MAX_TIMER_MS));
  }

  #expire(): void {
    const now = performance.now();
    let next = Infinity;
    this.#timerAt = Infinity;
    for (const delivery of this.all) {
      // What was done about another one may have ended this one.
      if (this.get(delivery.number) === undefined) continue;
      if (delivery.dueAt <= now) this.#onDue(delivery);
      else next = Math.min(next, delivery.dueAt);
    }
    if (next !== Infinity) this.#arm(next);
  }
}
