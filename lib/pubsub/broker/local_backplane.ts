import type { Backplane } from "./backplane.ts";
import type { StreamStore } from "./streams/stream_store.ts";

/** The backplane of a broker by itself: nothing leaves it. */
export class LocalBackplane implements Backplane {
  readonly shared = undefined;
  readonly streams: StreamStore | undefined;

  /** @param streams Keeps streams; `undefined` if nothing is kept. */
  constructor(streams: StreamStore | undefined) {
    this.streams = streams;
  }

  attach(): void {}
}
