/** A clock that stands still unless it is set. */
export class FakeClock implements Disposable {
  readonly #now = performance.now;
  nowMs = 1_000;

  constructor() {
    performance.now = () => this.nowMs;
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
  }
}
