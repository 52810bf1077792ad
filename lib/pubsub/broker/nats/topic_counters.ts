/** How many topics have a counter. For one more, the oldest counter ends. */
const MAX_TOPICS = 65_536;

/** How many publications of one topic a gateway has carried. */
export interface TopicCounter {
  readonly topic: string;
  /** Its number among all counters that the gateway has made, from 1. A topic may have had several. */
  readonly number: number;
  count: number;
  /** Whether it has ended: its topic gets another one when it comes again. */
  isOver: boolean;
  /** Whether it has changed since it was taken the last time. */
  isChanged: boolean;
  /** The number of the message in which it was told last. */
  toldIn: number;
}

/**
 * Counts what a gateway publishes by topic, so that others can tell what they missed. Where there are
 * too many topics, a counter ends, and its topic gets another one when it comes again.
 */
export class TopicCounters {
  readonly #byTopic = new Map<string, TopicCounter>();
  readonly #changed = new Set<TopicCounter>();
  #last = 0;

  /** The number of the counter that was made last. */
  get last(): number {
    return this.#last;
  }

  /** The counter of a topic. */
  of(topic: string): TopicCounter {
    const known = this.#byTopic.get(topic);
    if (known) return known;
    if (this.#byTopic.size >= MAX_TOPICS) {
      const [[oldest, counter]] = this.#byTopic as unknown as [[string, TopicCounter]];
      counter.isOver = true;
      this.#byTopic.delete(oldest);
    }
    const counter = {
      topic,
      number: ++this.#last,
      count: 0,
      isOver: false,
      isChanged: false,
      toldIn: 0,
    };
    this.#byTopic.set(topic, counter);
    return counter;
  }

  /** Counts publications. */
  add(counter: TopicCounter, many = 1): void {
    counter.count += many;
    if (counter.isChanged) return;
    counter.isChanged = true;
    this.#changed.add(counter);
  }

  /**
   * Takes counters that have changed since they were taken the last time, `max` at most.
   *
   * @param number That of the message that tells of them.
   */
  takeChanged(max: number, number: number): TopicCounter[] {
    const taken: TopicCounter[] = [];
    for (const counter of this.#changed) {
      if (taken.length === max) break;
      taken.push(counter);
      counter.isChanged = false;
      counter.toldIn = number;
      this.#changed.delete(counter);
    }
    return taken;
  }

  /** Marks as changed the counters that were last told of in the message with this number, or later. */
  takeAgain(number: number): void {
    for (const counter of this.#byTopic.values()) {
      if (counter.toldIn < number || counter.isChanged) continue;
      counter.isChanged = true;
      this.#changed.add(counter);
    }
  }
}
