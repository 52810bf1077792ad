import type { ConsumerMemberRecord } from "./consumer_member.ts";
import type { ConsumerRecord } from "./consumer_record.ts";

/** Connections whose turns are remembered. */
const MAX_OWNERS = 10_000;

/** A consumer that may have messages, with the members that wait for them. */
export interface WaitingConsumer {
  readonly consumer: ConsumerRecord;
  readonly hungry: readonly ConsumerMemberRecord[];
}

/**
 * The order in which consumers are served after a commit, which may not have time for all: connections
 * take turns, and so do the consumers of one connection. So a hundred consumers of one connection delay
 * that of another by a single one.
 */
export class ServingOrder {
  /** When connections had their last turn. */
  readonly #owners = new Map<number, number>();
  #turns = 0;

  /** Puts those first that have waited for longest. */
  sorted(waiting: readonly WaitingConsumer[]): readonly WaitingConsumer[] {
    if (waiting.length < 2) return waiting;
    const keyed = waiting.map((each) => ({ each, turn: this.#turnOf(each.hungry) }));
    keyed.sort((a, b) => a.turn - b.turn || a.each.consumer.turn - b.each.consumer.turn);
    return keyed.map(({ each }) => each);
  }

  /** Notes that it is a consumer's turn. */
  begin({ consumer, hungry }: WaitingConsumer): void {
    const turn = ++this.#turns;
    consumer.turn = turn;
    if (this.#owners.size > MAX_OWNERS) this.#owners.clear();
    for (const { owner } of hungry) this.#owners.set(owner, turn);
  }

  /** The last turn of whichever of the connections has waited longest. */
  #turnOf(hungry: readonly ConsumerMemberRecord[]): number {
    let first = Infinity;
    for (const { owner } of hungry) first = Math.min(first, this.#owners.get(owner) ?? 0);
    return first;
  }
}
