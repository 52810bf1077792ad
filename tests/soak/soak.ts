/** Tests that go on for as long as they are told to. */
import type { Random } from "./random.ts";

/** A test that is made of rounds. */
export interface Soak {
  readonly name: string;
  /** Starts what is tested. */
  start(): Promise<RunningSoak>;
}

/** What is tested, running. */
export interface RunningSoak extends AsyncDisposable {
  /**
   * Does the next round, and asserts what must hold at its end. All that it chooses comes from
   * `random`, so that a round can be done again.
   */
  round(random: Random): Promise<void>;
  /** What was done so far, in a few words. */
  readonly summary: string;
  /** How many frames were sent so far, where that is what it is about. */
  readonly frames?: number | undefined;
}

/** When, and from which seed. */
export interface SoakOptions {
  /** Of the first round; each later one has the next whole number. */
  readonly seed: number;
  readonly durationMs: number;
  /** It ends no sooner than so many frames are sent, where frames are what it is about. */
  readonly minFrames?: number | undefined;
  /** Is told now and then what was done. */
  readonly onProgress: (summary: string) => void;
  /** Ends it between two rounds. */
  readonly signal: AbortSignal;
}

/** A round that failed. */
export class SoakError extends Error {
  override readonly name = "SoakError";
  /** The seed that the round had. */
  readonly seed: number;

  constructor(seed: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.seed = seed;
  }
}
