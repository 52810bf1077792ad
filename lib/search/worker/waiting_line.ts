import { FairLine } from "../../base/fair_line.ts";

/** Who asked for something. */
export interface Asker {
  /** The peer. All jobs without one count as those of one peer. */
  readonly peer?: WeakKey | undefined;
  /** The network of the peer: peers with the same one are likely to have one owner. */
  readonly network?: string | undefined;
}

/** What waits. */
interface Waiting extends Asker {
  /** What its turn counts, up to 1: less, where little is asked for. @default {1} */
  readonly share?: number;
}

/**
 * What waits, by who asked for it: networks take turns, and within a network its peers. So nobody gets
 * more turns by opening more connections, and behind a proxy each connection has its own.
 *
 * A peer that asked for nothing while all others of its network had a turn has rested, and waits in a
 * second line of the network for its next one: every second turn is of that line. So who asks now and
 * then does not wait for all those who ask again at once. A turn of a small share ends little of a rest:
 * who asks for little each time does not wait for all those who ask for much.
 */
export class WaitingLine<Job extends Waiting> {
  /** By network, never an empty line. The first is the next that has its turn. */
  readonly #networks = new Map<string | undefined, NetworkLine<Job>>();
  /** How many turns there had been when a peer had its last whole one, or was met. */
  readonly #lastTurns = new WeakMap<WeakKey, number>();
  #turns = 0;
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Notes that there is a peer, of which nothing has to wait: it rests from now on. */
  meet({ peer }: Asker): void {
    if (peer && !this.#lastTurns.has(peer)) this.#lastTurns.set(peer, this.#turns);
  }

  /** Adds one, which must not be in the line already. */
  push(job: Job): void {
    this.meet(job);
    let line = this.#networks.get(job.network);
    if (line === undefined) this.#networks.set(job.network, line = new NetworkLine());
    const next = line.regular.next;
    const hasRested = next !== undefined && this.#lastTurnOf(job) < this.#lastTurnOf(next);
    line.push(job, hasRested);
    this.#size++;
  }

  /** Counts the turn of one that has not to wait: as `push` and `shift` do while the line is empty. */
  pass(job: Job): void {
    this.meet(job);
    this.#countTurn(job);
  }

  /** The one that {@linkcode WaitingLine.shift} would return. */
  get next(): Job | undefined {
    const [line] = this.#networks.values();
    return line?.next;
  }

  /** Removes and returns the next one; `undefined` if there is none. */
  shift(): Job | undefined {
    const [first] = this.#networks;
    if (first === undefined) return undefined;
    const [network, line] = first;
    const job = line.shift();
    if (job !== undefined) this.#countTurn(job);
    // The network goes to the end of the line.
    this.#networks.delete(network);
    if (line.size > 0) this.#networks.set(network, line);
    this.#size--;
    return job;
  }

  /** Removes one. @returns whether it was there. */
  delete(job: Job): boolean {
    const line = this.#networks.get(job.network);
    if (!line?.delete(job)) return false;
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

  #countTurn(job: Job): void {
    this.#turns++;
    if (!job.peer) return;
    const last = this.#lastTurnOf(job);
    this.#lastTurns.set(job.peer, last + (this.#turns - last) * (job.share ?? 1));
  }

  #lastTurnOf({ peer }: Asker): number {
    return (peer && this.#lastTurns.get(peer)) ?? this.#turns;
  }
}

/** What of one network waits. Each peer is in one of the lines only. */
class NetworkLine<Job extends Waiting> {
  readonly regular = new FairLine<Job>();
  readonly #rested = new FairLine<Job>();
  #isRestedTurn = true;

  get size(): number {
    return this.regular.size + this.#rested.size;
  }

  /** What each peer waits for, first come first. */
  get groups(): Iterable<ReadonlySet<Job>> {
    return [...this.regular.groups, ...this.#rested.groups];
  }

  countOf(peer: WeakKey | undefined): number {
    return this.regular.countOf(peer) + this.#rested.countOf(peer);
  }

  push(job: Job, hasRested: boolean): void {
    const { peer } = job;
    const isRested = this.#rested.countOf(peer) > 0 ||
      (hasRested && this.regular.countOf(peer) === 0);
    (isRested ? this.#rested : this.regular).push(peer, job);
  }

  get next(): Job | undefined {
    return (this.#isRestedNext ? this.#rested : this.regular).next;
  }

  get #isRestedNext(): boolean {
    return this.#rested.size > 0 && (this.#isRestedTurn || this.regular.size === 0);
  }

  shift(): Job | undefined {
    const isRested = this.#isRestedNext;
    this.#isRestedTurn = !isRested;
    if (!isRested) return this.regular.shift();
    const job = this.#rested.shift()!;
    for (const other of this.#rested.take(job.peer)) this.regular.push(job.peer, other);
    return job;
  }

  delete(job: Job): boolean {
    return this.regular.delete(job.peer, job) || this.#rested.delete(job.peer, job);
  }

  clear(): Job[] {
    return [...this.regular.clear(), ...this.#rested.clear()];
  }
}
