/** How many microtasks a program has to begin to await a promise that is rejected already. */
const GRACE_MICROTASKS = 4;

/** Is told why a promise was rejected that nobody handles. It must not throw. */
export type Report = (error: unknown) => void;

/**
 * A promise that a program need not await: if it is rejected, and nobody handles that, a function is
 * told of the error. The rejection of an ordinary promise would end the program.
 *
 * Whoever calls `then` handles it, as `catch` and `Promise.all` do, or asks for its `constructor`, as
 * `await` does. That says that it is an ordinary promise: for one of another class, `await` would make a
 * second one and take two microtasks more, 0.2 µs in all.
 */
export class ReportedPromise<T> extends Promise<T> {
  #isHandled = false;

  static {
    Object.defineProperty(this.prototype, "constructor", {
      get(this: ReportedPromise<unknown>) {
        this.#isHandled = true;
        return Promise;
      },
    });
  }

  override then<Result = T, Failure = never>(
    onDone?: ((value: T) => Result | PromiseLike<Result>) | null,
    onFailed?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#isHandled = true;
    return super.then(onDone, onFailed);
  }

  /** Has a function told if it is rejected and nobody handles that. To be called when it is rejected. */
  reportTo(report: Report): void {
    const isHandled = this.#isHandled;
    super.then(undefined, (error) => void this.#rejected(error, report));
    this.#isHandled = isHandled;
  }

  async #rejected(error: unknown, report: Report): Promise<void> {
    for (let i = 0; i < GRACE_MICROTASKS && !this.#isHandled; i++) await undefined;
    if (this.#isHandled) return;
    // Where it is to be reported twice, once is enough.
    this.#isHandled = true;
    report(error);
  }
}

/** A {@linkcode ReportedPromise} with the functions that settle it. The first call of them counts. */
export class Reported<T> {
  readonly promise: ReportedPromise<T>;
  readonly #report: Report;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  /** @param report Is told why it failed, if nobody handles that. */
  constructor(report: Report) {
    this.#report = report;
    this.promise = new ReportedPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Resolves it. */
  succeed(value: T): void {
    this.#resolve(value);
  }

  /** Rejects it. */
  fail(error: unknown): void {
    this.#reject(error);
    // To have every promise watched would cost something, and most are not rejected.
    this.promise.reportTo(this.#report);
  }
}

/** A promise with the same result, whose rejection is reported if nobody handles it. */
export function reported<T>(promise: Promise<T>, report: Report): Promise<T> {
  const same = new Reported<T>(report);
  promise.then((value) => same.succeed(value), (error) => same.fail(error));
  return same.promise;
}
