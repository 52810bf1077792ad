import "../support/recycled_threads.ts";
import { DEAD_LETTERS } from "../../lib/pubsub/broker/streams/dead_letter.ts";
import { openStreamStore, type StreamStore } from "../../lib/pubsub/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { SharedFixture } from "../support/shared_fixture.ts";

/** A store of streams in a folder of its own. */
export class KeptStore implements AsyncDisposable {
  readonly #scratch = new Scratch();
  #store: StreamStore | undefined;

  /** Opens one. */
  static async open(): Promise<KeptStore> {
    const kept = new KeptStore();
    await kept.reopen();
    return kept;
  }

  /** What is kept. */
  get streams(): StreamStore {
    return this.#store!;
  }

  /** Closes it, and opens it again: what is there then was on the disk. */
  async reopen(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = await openStreamStore(this.#scratch.at("store"));
  }

  /** Deletes all streams, and what is in that of the dead letters. */
  async clear(): Promise<void> {
    for (const name of [...this.streams.streams.keys()]) {
      if (name === DEAD_LETTERS) await this.streams.purge(name, undefined, undefined);
      else await this.streams.delete(name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#scratch[Symbol.dispose]();
  }
}

/** Tests of a store that has no streams but those that each of them makes. */
export function sharedStore(name: string): SharedFixture<KeptStore> {
  return new SharedFixture(name, KeptStore.open, (kept) => kept.clear());
}
