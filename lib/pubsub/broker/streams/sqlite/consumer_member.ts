import type { MemberInit } from "../stream_store.ts";

/** One connection's share in a consumer, as the writer knows it. */
export class ConsumerMemberRecord {
  /** Names it for as long as the store is open. */
  readonly id: number;
  /** The connection: only it may settle what this member has. */
  readonly owner: number;
  /** The number that its frames repeat. */
  readonly sid: number;
  /** The most of its deliveries that may be open; without it, its share of the consumer's. */
  readonly prefetch: number | undefined;
  /** Whether it takes many messages in one frame. */
  readonly runs: boolean;
  /** Its open deliveries. */
  open = 0;
  /** Whether it waits for deliveries. */
  isHungry = false;
  /** Whether it has left, and what it had open then is no attempt. */
  leftUncounted = false;

  /** Has nothing at first. */
  constructor(id: number, { owner, sid, prefetch, runs }: MemberInit) {
    this.id = id;
    this.owner = owner;
    this.sid = sid;
    this.prefetch = prefetch;
    this.runs = runs;
  }
}
