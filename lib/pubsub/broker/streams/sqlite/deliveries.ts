import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { LEFT, staleError, TIMED_OUT } from "../consumer_settings.ts";
import { DEAD_LETTERS, deadLetterOf } from "../dead_letter.ts";
import type { MemberInit, Settlement } from "../stream_store.ts";
import type { ConsumerEntry } from "./consumer_entry.ts";
import { ConsumerMemberRecord } from "./consumer_member.ts";
import type { ConsumerRecord } from "./consumer_record.ts";
import type { MemberDeliveries } from "./orders.ts";
import { FREE_ENTRIES, keptMessage, MessageSource, type ServingBounds } from "./message_source.ts";
import { MessageWriter } from "./message_writer.ts";
import { newMessage } from "./publication_list.ts";
import { ServingOrder, type WaitingConsumer } from "./serving_order.ts";
import type { StreamRecord } from "./stream_record.ts";
import type { Tables } from "./tables.ts";

/** What a member gets in one go, at most. */
const MAX_BATCH_BYTES = 131_072;
/**
 * Bounds of what is done for consumers between two commits, for which everybody waits; counted in
 * messages that are looked at. Consumers that search for long share a smaller bound of their own.
 */
const MAX_WORK = 6_000;
const MAX_SEARCH_WORK = 2_000;
/** A consumer searches for long if it has looked at this many messages in one go and found none. */
const SEARCH_WORK = 500;
/** To copy this many bytes counts as much as to look at a message. They are held until handed over. */
const BYTES_PER_WORK = 256;
/**
 * Unsettled messages of all consumers together, beyond the few that each may always have. They are in
 * memory, 200 bytes each, and a commit writes all those of each consumer that has changed.
 */
const MAX_SHARED_ENTRIES = 131_072;
/** The most dead letters that one commit makes; each takes 0.1 ms. */
const MAX_BURIED = 100;
/** A large dead letter counts as one more for each 16 KiB. */
const BYTES_PER_BURIED = 16_384;
/** Where the disk had no room for dead letters, they are made again after this time. */
const BURY_RETRY_MS = 1_000;
/** Numbers of deliveries that are reserved by one write; fewer than half are used by one commit. */
const RESERVED_NUMBERS = 1_000_000;

/** Hands the messages of consumers out to their members, and takes back what is not acknowledged. */
export class Deliveries {
  readonly #tables: Tables;
  readonly #members = new Map<number, { member: ConsumerMemberRecord; consumer: ConsumerRecord }>();
  /** Consumers that have members, or entries with something due at some time. */
  readonly #active = new Set<ConsumerRecord>();
  /** Messages that retention dropped before they were acknowledged, to be told to a member. */
  readonly #missed = new Map<ConsumerRecord, number>();
  readonly #order = new ServingOrder();
  #nextNumber = 0;
  #reserved = 0;
  /** Before this time no dead letters are made. */
  #buryAt = 0;
  /** Whether a consumer has to look for more messages than it has in one go. */
  hasWork = false;

  constructor(tables: Tables) {
    this.#tables = tables;
    for (const consumer of tables.allConsumers()) this.#active.add(consumer);
  }

  /** When something happens by itself next. */
  get dueAt(): number {
    let dueAt = Infinity;
    for (const consumer of this.#active) dueAt = Math.min(dueAt, consumer.dueAt);
    return dueAt;
  }

  /** The clock was set back by `ms`. */
  setBack(ms: number): void {
    this.#buryAt -= ms;
    for (const consumer of this.#active) consumer.setBack(ms);
  }

  /** Whether a commit has to reserve numbers before more are used. */
  get needsNumbers(): boolean {
    return this.#reserved - this.#nextNumber < RESERVED_NUMBERS / 2;
  }

  /**
   * Reserves numbers that no delivery ever had, not even before the last start. Called within a
   * commit.
   */
  reserveNumbers(): void {
    const { statements } = this.#tables;
    const [value] = statements.row<[number]>(
      "INSERT INTO counter VALUES ('delivery', ?) " +
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value",
      RESERVED_NUMBERS,
    )!;
    if (this.#nextNumber === 0) this.#nextNumber = value - RESERVED_NUMBERS + 1;
    const before = this.#reserved;
    this.#tables.onRollBack(() => this.#reserved = before);
    this.#reserved = value;
    statements.run("INSERT OR IGNORE INTO counter VALUES ('sync', 0)");
  }

  /** Whether somebody waits for messages of a stream. */
  isAwaited(stream: StreamRecord): boolean {
    for (const { members } of this.#tables.consumersOf(stream).values()) {
      for (const { isHungry } of members) if (isHungry) return true;
    }
    return false;
  }

  /** Whether somebody waits for messages that only the journal has. */
  get needsRows(): boolean {
    for (const { stream } of this.#active) {
      if (stream.journaled.length > 0 && this.isAwaited(stream)) return true;
    }
    return false;
  }

  /** Notes that a member waits. This stays so even if the commit fails. */
  hungry(id: number): void {
    const known = this.#members.get(id);
    if (known) known.member.isHungry = true;
  }

  /** Adds a member to a consumer. */
  join(consumer: ConsumerRecord, id: number, init: MemberInit): void {
    const member = new ConsumerMemberRecord(id, init);
    consumer.members.add(member);
    this.#members.set(id, { member, consumer });
    this.#active.add(consumer);
    this.#tables.onRollBack(() => {
      consumer.members.delete(member);
      this.#members.delete(id);
    });
  }

  /**
   * Takes a member away; what it has open goes back. It has left even if the commit fails.
   *
   * @param counted Whether these deliveries count as attempts.
   */
  leave(id: number, counted: boolean): void {
    const known = this.#members.get(id);
    if (known === undefined) return;
    const { member, consumer } = known;
    this.#members.delete(id);
    consumer.members.delete(member);
    member.leftUncounted = !counted;
    for (const entry of [...consumer.open.values()]) {
      if (entry.member !== member) continue;
      if (!counted) entry.attempt--;
      consumer.returned(entry, 0, counted ? LEFT : entry.reason);
      consumer.changed = true;
    }
  }

  /** A consumer is gone, or begins anew: nothing of it is open any more. */
  forget(consumer: ConsumerRecord, isDeleted: boolean): void {
    consumer.touch();
    consumer.clear();
    this.#missed.delete(consumer);
    if (!isDeleted) return;
    this.#active.delete(consumer);
    const members = [...consumer.members];
    for (const { id } of members) this.#members.delete(id);
    this.#tables.onRollBack(() => {
      this.#active.add(consumer);
      for (const member of members) this.#members.set(member.id, { member, consumer });
    });
  }

  /** Settles open deliveries. @throws {StreamError} `stale-ack` for those that are not open. */
  settle(consumer: ConsumerRecord, settlement: Settlement, now: number): void {
    const { kind, owner, deliveries, delayMs, reason } = settlement;
    consumer.touch();
    const stale: number[] = [];
    for (const number of deliveries) {
      const entry = consumer.open.get(number);
      if (entry === undefined || entry.member?.owner !== owner) stale.push(number);
      else if (kind === "ack") this.#acknowledge(consumer, entry);
      else if (kind === "working") entry.at = now + consumer.settings.ackWaitMs;
      else consumer.returned(entry, now + (delayMs ?? consumer.backoffMs(entry.attempt)), reason);
    }
    if (stale.length > 0) throw staleError(stale, deliveries.length);
  }

  /** Has all dead letters of a consumer delivered again. @returns how many. */
  redrive(consumer: ConsumerRecord): number {
    const dead = this.#tables.byName.get(DEAD_LETTERS);
    const count = this.#tables.deadLettersOf(consumer);
    if (dead === undefined || count === 0) return 0;
    consumer.touch();
    consumer.redrive = dead.next - 1;
    consumer.redriveFrom = 0;
    return count;
  }

  /**
   * Takes back open deliveries whose time is up, and moves those that had their last attempt to the
   * dead letters. Called within a commit.
   *
   * @param buries Whether there may be room for dead letters. Where there is none, what had its last
   * attempt waits for a while, so that everything else can be done.
   */
  expire(now: number, buries: boolean): void {
    if (!buries) this.#buryAt = now + BURY_RETRY_MS;
    if (this.needsNumbers) this.reserveNumbers();
    let left = MAX_BURIED;
    for (const consumer of [...this.#active]) {
      if (consumer.dueAt <= now && left > 0) left = this.#expire(consumer, now, left);
      if (consumer.members.size === 0 && consumer.entries.size === 0) this.#active.delete(consumer);
    }
  }

  /**
   * @param most How many dead letters may be made. If there are more, the consumer is due again at
   * once, behind the others.
   * @returns How many more may be made then.
   */
  #expire(consumer: ConsumerRecord, now: number, most: number): number {
    const { maxAttempts } = consumer.settings;
    let dueAt = Infinity;
    let left = most;
    consumer.touch();
    for (const entry of [...consumer.entries.values()]) {
      if (consumer.ready.has(entry)) continue;
      if (entry.at <= now && entry.delivery > 0) {
        consumer.returned(entry, entry.at + consumer.backoffMs(entry.attempt), TIMED_OUT);
      }
      const isLast = maxAttempts > 0 && entry.attempt >= maxAttempts;
      if (entry.delivery === 0 && isLast) {
        if (now < this.#buryAt) dueAt = Math.min(dueAt, this.#buryAt);
        else if (left > 0) left -= 1 + this.#bury(consumer, entry, now) / BYTES_PER_BURIED;
        else {
          dueAt = 0;
          left = -1;
        }
      } else if (entry.delivery === 0 && entry.at <= now) consumer.ready.add(entry);
      else dueAt = Math.min(dueAt, entry.at);
    }
    consumer.dueAt = dueAt;
    if (left < 0) {
      this.#active.delete(consumer);
      this.#active.add(consumer);
    }
    return Math.max(0, left);
  }

  /** Hands out what members wait for, up to a bound. Called after a commit. */
  serve(now: number): MemberDeliveries[] {
    const served: MemberDeliveries[] = [];
    this.hasWork = false;
    let entries = MAX_SHARED_ENTRIES;
    const ready: WaitingConsumer[] = [];
    const searching: WaitingConsumer[] = [];
    for (const consumer of this.#active) {
      entries -= Math.max(0, consumer.entries.size - FREE_ENTRIES);
      if (!this.#hasMore(consumer)) continue;
      const hungry = [...consumer.members].filter((member) => member.isHungry);
      if (hungry.length > 0) (consumer.isSearching ? searching : ready).push({ consumer, hungry });
    }
    const bounds = { work: MAX_WORK, entries };
    this.#serveAll(ready, bounds, now, served);
    bounds.work = MAX_SEARCH_WORK;
    this.#serveAll(searching, bounds, now, served);
    return served;
  }

  #serveAll(
    waiting: readonly WaitingConsumer[],
    bounds: ServingBounds,
    now: number,
    served: MemberDeliveries[],
  ): void {
    for (const each of this.#order.sorted(waiting)) {
      if (bounds.work <= 0) return void (this.hasWork = true);
      this.#order.begin(each);
      const { consumer } = each;
      const [before, found] = [bounds.work, served.length];
      this.#serve(each, bounds, now, served);
      // If it found nothing because the work was used up, it may have looked at a few messages only.
      if (served.length > found) consumer.isSearching = false;
      else if (before - bounds.work >= SEARCH_WORK) consumer.isSearching = true;
    }
  }

  #hasMore(consumer: ConsumerRecord): boolean {
    const { stream, position, ready, redrive } = consumer;
    return position < stream.next || ready.size > 0 || redrive > 0 || this.#missed.has(consumer);
  }

  /** Takes back what a failed commit was to change. */
  rollBack(): void {
    for (const consumer of this.#active) consumer.dueAt = Math.min(consumer.dueAt, 0);
  }

  #serve(
    { consumer, hungry }: WaitingConsumer,
    bounds: ServingBounds,
    now: number,
    served: MemberDeliveries[],
  ): void {
    const { stream } = consumer;
    const behind = Math.max(0, stream.next - consumer.position);
    const available = consumer.ready.size + behind + (consumer.redrive > 0 ? 1 : 0);
    // A burst is shared out among the members that wait.
    const share = Math.max(1, Math.ceil(available / hungry.length));
    const source = new MessageSource(this.#tables, consumer, bounds);
    for (const member of hungry) {
      const mayOpen = Math.min(share, consumer.prefetchOf(member) - member.open);
      const out = new ByteBuffer();
      const { sid, runs } = member;
      const to = { sid, stream: stream.name, consumer: consumer.name, runs };
      const writer = new MessageWriter(out, to);
      while (writer.count < mayOpen && writer.bytes < MAX_BATCH_BYTES) {
        const next = source.next();
        if (next === undefined) break;
        const { entry, message: { frames, index, seq, time } } = next;
        const number = this.#nextNumber++;
        consumer.opened(entry, number, member, now);
        writer.add(frames, index, seq, time, number, entry.attempt);
      }
      writer.end();
      bounds.work -= out.length / BYTES_PER_WORK;
      const { count } = writer;
      const missed = source.missed + (this.#missed.get(consumer) ?? 0);
      source.missed = 0;
      this.#missed.delete(consumer);
      if (source.isTired) this.hasWork = true;
      if (count === 0 && missed === 0) continue;
      member.isHungry = false;
      // The one that was served goes to the end of the line.
      consumer.members.delete(member);
      consumer.members.add(member);
      served.push({ member: member.id, bytes: out.bytes.slice(0, out.length), count, missed });
    }
  }

  #acknowledge(consumer: ConsumerRecord, entry: ConsumerEntry): void {
    consumer.remove(entry);
    if (entry.seq < 0) this.#removeLetter(consumer, -entry.seq);
    else this.#done(consumer, entry.seq);
  }

  /** Moves a message to the dead letters. @returns the bytes of the letter. */
  #bury(consumer: ConsumerRecord, entry: ConsumerEntry, now: number): number {
    const message = keptMessage(this.#tables, consumer.stream, entry.seq);
    consumer.remove(entry);
    if (message === undefined) {
      this.#miss(consumer);
      return 0;
    }
    // Of a letter that was delivered again, those of the message that it was.
    const { seq, time } = message;
    const { attempt: attempts, reason } = entry;
    const { stream: { name: stream }, name } = consumer;
    const dead = { stream, consumer: name, seq, time, attempts, reason };
    const letter = deadLetterOf(dead, message.frames.at(message.index));
    this.#tables.appender.append(this.#tables.deadLetterStream(), newMessage(letter), now);
    this.#tables.deadCounts.add(consumer.deadTopic, 1);
    this.#tables.buried(consumer.deadTopic, letter.bytes);
    if (entry.seq < 0) this.#removeLetter(consumer, -entry.seq);
    else this.#done(consumer, entry.seq);
    return letter.bytes.length;
  }

  #miss(consumer: ConsumerRecord): void {
    this.#missed.set(consumer, (this.#missed.get(consumer) ?? 0) + 1);
  }

  #removeLetter({ deadTopic }: ConsumerRecord, seq: number): void {
    const { statements, gone, deadCounts } = this.#tables;
    const dead = this.#tables.deadLetterStream();
    gone.mark(dead, seq);
    const rows = statements.run("DELETE FROM kept WHERE stream = ? AND seq = ?", dead.id, seq);
    if (seq >= dead.floor) deadCounts.add(deadTopic, -rows);
  }

  /** A consumer is done with a message. Once all consumers are, it is no longer kept. */
  #done({ stream }: ConsumerRecord, seq: number): void {
    if (stream.settings.keep !== "until-acked") return;
    const topicOf = () => {
      const message = keptMessage(this.#tables, stream, seq);
      return message?.frames.topicOf(message.index);
    };
    if (this.#tables.isDoneByAll(stream, seq, topicOf)) this.#tables.gone.mark(stream, seq);
  }
}
