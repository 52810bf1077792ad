/**
 * Tests that use the same thing in turn, such as a search engine: each of its threads loads what it
 * runs, so that to open one takes longer than most of the tests. They are the steps of one test.
 */
export class SharedFixture<T extends AsyncDisposable> {
  readonly #tests: (readonly [name: string, run: (fixture: T) => Promise<void>])[] = [];

  /**
   * Registers the test that they are steps of.
   *
   * @param clear Is called after each of them: it leaves nothing to the next one.
   */
  constructor(name: string, open: () => Promise<T>, clear: (fixture: T) => Promise<void>) {
    Deno.test(name, async (t) => {
      await using fixture = await open();
      for (const [name, run] of this.#tests) {
        await t.step(name, async () => {
          try {
            await run(fixture);
          } finally {
            await clear(fixture);
          }
        });
      }
    });
  }

  /** Adds a test, while the file is loaded. */
  test(name: string, run: (fixture: T) => Promise<void>): void {
    this.#tests.push([name, run]);
  }
}
