import { FairLine } from "../../base/fair_line.ts";

/** Who asked for something. */
export interface Asker {
  /** The peer. All jobs without one count as those of one peer. */
  readonly peer?: unknown;
  /** The network of the peer: peers with the same one are likely to have one owner. */
  readonly network?: string | undefined;
}

/**
 * What waits, by who asked for it: networks take turns, and within a network its peers. So nobody gets
 * more turns by opening more connections, and behind a proxy each connection has its own.
 */
export class WaitingLine<Job extends Asker> {
  /** By network, never an empty line. The first is the next that has its turn. */
  readonly #networks = new Map<string | undefined, FairLine<Job>>();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds one, which must not be in the line already. */
  push(job: Job): void {
    let line = this.#networks.get(job.network);
    if (line === undefined) this.#networks.set(job.network, line = new FairLine());
    line.push(job.peer, job);
    this.#size++;
  }

  /** Removes and returns the next one; `undefined` if there is none. */
  shift(): Job | undefined {
    const [first] = this.#networks;
    if (first === undefined) return undefined;
    const [network, line] = first;
    const job = line.shift();
    // The network goes to the end of the line.
    this.#networks.delete(network);
    if (line.size > 0) this.#networks.set(network, line);
    this.#size--;
    return job;
  }

  /** Removes one. @returns whether it was there. */
  delete(job: Job): boolean {
    const line = this.#networks.get(job.network);
    if (!line?.delete(job.peer, job)) return false;
    this.#size--;
    if (line.size === 0) this.#networks.delete(job.network);
    return true;
  }

  /**
   * The last job of whoever has the most waiting: of the network that has the most, and in it of the peer
   * that has the most. `undefined` if the given asker would then have as many with one more.
   */
  heaviest(asker: Asker): Job | undefined {
    let [network, line] = [asker.network, this.#networks.get(asker.network)];
    const own = line?.size ?? 0;
    for (const [other, others] of this.#networks) {
      if (others.size > Math.max(line?.size ?? 0, own + 1)) [network, line] = [other, others];
    }
    let most = network === asker.network ? 1 + (line?.countOf(asker.peer) ?? 0) : 0;
    let heaviest: ReadonlySet<Job> | undefined;
    for (const jobs of line?.groups ?? []) {
      if (jobs.size <= most) continue;
      most = jobs.size;
      heaviest = jobs;
    }
    return heaviest && [...heaviest].at(-1);
  }

  /** Removes and returns all. */
  clear(): Job[] {
    const all = [...this.#networks.values()].flatMap((line) => line.clear());
    this.#networks.clear();
    this.#size = 0;
    return all;
  }
}
