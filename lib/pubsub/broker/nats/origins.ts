import type { OpenFilter } from "./interest.ts";

/** Topics of one gateway that are remembered. */
const MAX_TOPICS = 65_536;

/** Gateways that are remembered; each start counts as another one. */
const MAX_ORIGINS = 1_000;

/** A gateway that was not heard of for this long may be dead; it tells of itself each second. */
const SILENT_MS = 3_500;

/** After this long it is forgotten. */
const FORGOTTEN_MS = 60_000;

/** What was received of one topic of a gateway. */
interface Received {
  /** The number of the gateway's counter. */
  number: number;
  count: number;
  /** The subscription that brought the last of it. */
  via: OpenFilter;
}

/** What is known of another gateway. */
interface Origin {
  readonly topics: Map<string, Received>;
  /** The number of its last counter when it was heard of first. */
  readonly first: number;
  heardAt: number;
  isSilent: boolean;
  /** How many messages that tell of its counters it has sent, as far as that is known. */
  told: number | undefined;
  /** The numbers of the first and the last that did not get here, until all that is told again. */
  untold: number | undefined;
  lastUntold: number;
}

/**
 * What came from each start of each other gateway: finds out what comes twice, and what is missing.
 * The publications of a gateway on one topic are numbered from 1; where a subscription was in force
 * before the topic's counter began, all from 1 on are due.
 */
export class Origins {
  readonly #origins = new Map<string, Origin>();

  /** Gateways that are alive, as far as that is known. */
  get alive(): string[] {
    return [...this.#origins].filter(([, { isSilent }]) => !isSilent).map(([name]) => name);
  }

  /**
   * Notes that a gateway is there.
   *
   * @param last The number of its last counter.
   */
  heard(name: string, last: number, now: number): void {
    const known = this.#origins.get(name);
    if (known) {
      known.heardAt = now;
      known.isSilent = false;
      return;
    }
    if (this.#origins.size >= MAX_ORIGINS) this.#origins.delete(this.#origins.keys().next().value!);
    this.#origins.set(name, {
      topics: new Map(),
      first: last,
      heardAt: now,
      isSilent: false,
      told: undefined,
      untold: undefined,
      lastUntold: 0,
    });
  }

  /**
   * A message of a gateway came.
   *
   * @param before How many messages that tell of its counters it had sent before.
   * @param tells Whether this is one.
   * @param again The number of the one from which on everything has been told again with this one.
   * @param until The number of the last of those that have been told again.
   * @returns The number of the first one that did not get here, and was not told again.
   */
  told(
    name: string,
    before: number,
    tells: boolean,
    again = Infinity,
    until = Infinity,
  ): number | undefined {
    const origin = this.#origins.get(name);
    if (origin === undefined) return undefined;
    const known = origin.told ?? before;
    if (before > known) {
      origin.untold ??= known + 1;
      origin.lastUntold = before;
    }
    origin.told = Math.max(known, tells ? before + 1 : before);
    if (origin.untold !== undefined && again <= origin.untold) {
      const isAllTold = origin.lastUntold <= until;
      origin.untold = isAllTold ? undefined : Math.max(origin.untold, until + 1);
    }
    return origin.untold;
  }

  /**
   * Publications came, one after the other.
   *
   * @param count That of the last of them.
   * @param via The subscription that brought them.
   * @param many How many they are.
   * @returns How many are missing before them; -1 if they came before, or too late.
   */
  received(
    name: string,
    number: number,
    count: number,
    topic: string,
    via: OpenFilter,
    many = 1,
  ): number {
    return this.#advance(name, number, count, topic, via, many);
  }

  /**
   * A gateway has told how many it has published.
   *
   * @param via The subscription that brings the topic here.
   * @returns How many are missing that were not told of before.
   */
  announced(name: string, number: number, count: number, topic: string, via: OpenFilter): number {
    return Math.max(0, this.#advance(name, number, count, topic, via, 0));
  }

  /** A gateway has ended in order: nothing of it is on its way any more. */
  ended(name: string): void {
    this.#origins.delete(name);
  }

  /**
   * Looks for gateways that are silent.
   *
   * @returns The topics of those found just now: what they published last may be lost.
   */
  silent(now: number): string[] {
    const topics: string[] = [];
    for (const [name, origin] of this.#origins) {
      const silentMs = now - origin.heardAt;
      if (silentMs > FORGOTTEN_MS) this.#origins.delete(name);
      if (silentMs <= SILENT_MS || origin.isSilent) continue;
      origin.isSilent = true;
      topics.push(...origin.topics.keys());
    }
    return topics;
  }

  /** Nothing could be heard of anybody for a while: all have the time to tell of themselves again. */
  forgive(now: number): void {
    for (const origin of this.#origins.values()) if (!origin.isSilent) origin.heardAt = now;
  }

  #advance(
    name: string,
    number: number,
    count: number,
    topic: string,
    via: OpenFilter,
    came: number,
  ): number {
    const origin = this.#origins.get(name);
    if (origin === undefined) return 0;
    const { topics } = origin;
    const known = topics.get(topic);
    // While nothing brought the topic here, nothing of it was due.
    if (known === undefined || !isContinued(known.via, via)) {
      if (known === undefined && topics.size >= MAX_TOPICS) {
        topics.delete(topics.keys().next().value!);
      }
      topics.set(topic, { number, count, via });
      const isNew = known === undefined || number > known.number;
      const allDue = isNew && number > (via.since.get(name) ?? origin.first);
      return allDue ? count - came : 0;
    }
    if (number < known.number || (number === known.number && count <= known.count)) return -1;
    const before = number === known.number ? known.count : 0;
    known.number = number;
    known.count = count;
    known.via = via;
    return count - before - came;
  }
}

/** Whether two subscriptions, one after the other, brought everything without a gap between them. */
function isContinued(before: OpenFilter, now: OpenFilter): boolean {
  return before === now || now.openedAt < before.closedAt;
}
