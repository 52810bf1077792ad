import type { Msg } from "@nats-io/transport-node";
import { MAX_TIMER_MS } from "../../../../base/timer_ms.ts";
import { Deque } from "../../../../base/deque.ts";
import { messageOf } from "../../../../base/message_of.ts";
import { backoffOf, LEFT, staleError, TIMED_OUT } from "../../streams/consumer_settings.ts";
import { revive } from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type {
  ConsumerFigures,
  ConsumerSettings,
  MemberInit,
  Settlement,
} from "../../streams/stream_store.ts";
import { writeExtended } from "../../delivery/extended_frame.ts";
import { TopicMatcher } from "../../streams/topic_matcher.ts";
import type { LocalFigures } from "./consumer_config.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { DeliveryNumbers } from "./delivery_numbers.ts";
import { REQUEST_MS } from "./jetstream_api.ts";
import { JetStreamMember } from "./jetstream_member.ts";
import { ACK, type Arrived, nak, type OpenDelivery, WORKING } from "./open_delivery.ts";
import { MAX_BATCH_BYTES } from "./pull_source.ts";
import type { SharedRecord } from "./shared_record.ts";
import { Sources } from "./sources.ts";
import { deliveredOf, type StoredMessages } from "./stored_messages.ts";
import type { StreamsHost } from "./streams_host.ts";

/** After this time in the line JetStream is told that a message is still in work. */
const LONG_WAIT_MS = 500;

/** When a message that could not be moved to the dead letters is tried again. */
const RETRY_MS = 1_000;

/** Gaps in the numbers that are looked at together, and how often. */
const MAX_GAPS = 1_000;
const GAPS_MS = 250;

/** Reasons of messages that are remembered until their next delivery. */
const MAX_REASONS = 10_000;

/** What a {@linkcode JetStreamConsumer} needs of its store. */
export interface ConsumerHost extends StreamsHost {
  readonly messages: StoredMessages;
  readonly deadLetters: DeadLetters;
  readonly numbers: DeliveryNumbers;
  /** The first number of a stream as it was seen last. */
  knownFirst(stream: string): number;
  /** Whether gateways remove what a stream's consumers are done with. */
  isSwept(stream: string): boolean;
  /** Something was acknowledged. */
  acknowledged(stream: string): void;
  /** Is to be waited for before the connection to NATS ends. */
  busy(work: Promise<void>): void;
}

/** A consumer, as far as this gateway's members share it. */
export class JetStreamConsumer {
  readonly stream: string;
  readonly name: string;
  readonly settings: ConsumerSettings;
  readonly #host: ConsumerHost;
  #created: string;
  #record: SharedRecord;
  readonly #matcher: TopicMatcher;
  /** The first is the next that has its turn. */
  readonly #members = new Set<JetStreamMember>();
  /** By number, and by the number in the stream; that of a dead letter is negative. */
  readonly #open = new Map<number, OpenDelivery>();
  readonly #bySeq = new Map<number, OpenDelivery>();
  readonly #waiting = new Deque<Arrived>();
  readonly #reasons = new Map<number, string>();
  #sources: Sources | undefined;
  #redelivered = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  /** The last number that JetStream is known to have delivered, and those that were passed over. */
  #seen: number;
  readonly #gaps: (readonly [from: number, to: number])[] = [];
  #gapsLookedAt = 0;
  #isLooking = false;

  constructor(
    host: ConsumerHost,
    { stream, consumer: name, settings, position }: ConsumerFigures,
    created: string,
    record: SharedRecord,
  ) {
    this.#host = host;
    this.stream = stream;
    this.name = name;
    this.settings = settings;
    this.#record = record;
    this.#created = created;
    this.#matcher = new TopicMatcher(settings.topic);
    this.#seen = position - 1;
  }

  /** When JetStream made it. */
  get created(): string {
    return this.#created;
  }

  /** What gateways know of it together. */
  get record(): SharedRecord {
    return this.#record;
  }

  /** Whether nothing of it is of interest here. */
  get isIdle(): boolean {
    return this.#members.size + this.#open.size + this.#waiting.length === 0;
  }

  get figures(): LocalFigures {
    let attempts = 0;
    const now = performance.now();
    let oldest = now;
    for (const { attempt, takenAt } of this.#open.values()) {
      attempts = Math.max(attempts, attempt);
      oldest = Math.min(oldest, takenAt);
    }
    return {
      redelivered: this.#redelivered,
      attempts,
      oldestUnackedMs: Math.round(now - oldest),
      members: this.#members.size,
    };
  }

  /** Adds a member. @param figures The consumer as it is. */
  join(figures: ConsumerFigures, init: MemberInit): JetStreamMember {
    const owner = {
      hungry: () => this.#serve(),
      left: (member: JetStreamMember, counted: boolean) => this.#left(member, counted),
      share: () => Math.ceil(this.settings.maxUnacked / this.#members.size),
    };
    const member = new JetStreamMember(owner, figures, init);
    this.#members.add(member);
    this.#sources ??= this.#openSources();
    return member;
  }

  /** Begins to deliver dead letters again, if it has members. */
  redrive(): void {
    this.#sources?.openLetters();
    this.#serve();
  }

  /** Settles open deliveries. @throws {StreamError} `stale-ack`, `unavailable`. */
  async settle(settlement: Settlement): Promise<void> {
    const { kind, owner, deliveries, delayMs, reason, durable } = settlement;
    const stale: number[] = [];
    const acked: OpenDelivery[] = [];
    for (const number of deliveries) {
      const delivery = this.#open.get(number);
      if (delivery === undefined || delivery.member.owner !== owner) stale.push(number);
      else if (kind === "working") this.#working(delivery);
      else if (kind === "ack") {
        this.#forget(delivery);
        acked.push(delivery);
      } else this.#giveBack(delivery, delayMs ?? this.#backoff(delivery), reason);
    }
    if (acked.length > 0) await this.#acknowledge(acked, durable);
    if (kind !== "working") this.#serve();
    if (stale.length > 0) throw staleError(stale, deliveries.length);
  }

  /** Called periodically. @param now Of `performance.now()`. */
  look(now: number): void {
    this.#sources?.look(now);
    this.#serve();
    if (this.#gaps.length > 0 && now - this.#gapsLookedAt >= GAPS_MS) void this.#lookAtGaps();
  }

  /** The connection was made again. */
  reconnected(): void {
    this.#sources?.forget();
  }

  /**
   * JetStream told how far it has delivered, and which message is the first that is kept: what is
   * between was dropped before anybody got it.
   */
  seen(delivered: number, first: number): void {
    this.#seen = Math.max(this.#seen, delivered);
    if (first > delivered + 1 && this.#members.size > 0) void this.#tell([[delivered + 1, first]]);
  }

  /** Forgets all that is open, and asks for nothing: the consumer is made anew. */
  pause(): void {
    for (const delivery of [...this.#open.values()]) this.#forget(delivery);
    this.#waiting.clear();
    this.#gaps.length = 0;
    this.#sources?.cut();
    this.#sources = undefined;
  }

  /** JetStream has made it anew. */
  renew(created: string, delivered: number, record: SharedRecord): void {
    this.pause();
    this.#created = created;
    this.#record = record;
    this.#seen = delivered;
    if (this.#members.size === 0) return;
    this.#sources = this.#openSources();
    this.#serve();
  }

  /** It is gone. @param error What members are told. */
  end(error: StreamError): void {
    this.pause();
    clearTimeout(this.#timer);
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) member.end(error);
  }

  /** The gateway ends: all that is open goes back as if it had not been delivered. */
  close(): void {
    for (const member of [...this.#members]) this.#left(member, false);
    this.#sources?.cut();
    clearTimeout(this.#timer);
  }

  #openSources(): Sources {
    const { link } = this.#host;
    return new Sources(link, this.stream, this.name, this.#record.state.redrive > 0, {
      message: (message, isLetter) => this.#arrived(message, isLetter),
      ended: () => this.#serve(),
    });
  }

  #arrived(message: Msg, letter: boolean): void {
    const arrived = { message, letter, at: performance.now() };
    if (deliveredOf(message.reply!).attempt === 1) return this.#wait(arrived);
    // Whether earlier deliveries count, another gateway may have noted a moment ago.
    const read = this.#record.read().then(() => {}, () => {});
    this.#host.busy(read.then(() => this.#wait(arrived)));
  }

  #wait(arrived: Arrived): void {
    this.#waiting.push(arrived);
    this.#serve();
  }

  /** Hands out what waits, and asks for more. */
  #serve(): void {
    if (this.#members.size === 0) {
      const waiting: Arrived[] = [];
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) waiting.push(next);
      if (waiting.length > 0) {
        this.#giveBackUncounted(waiting.map(arrivedKey), waiting.map(replyOf));
      }
      return;
    }
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      const member = this.#next();
      if (member === undefined) break;
      this.#waiting.shift();
      this.#deliver(next, member);
    }
    let credit = 0;
    for (const member of this.#members) if (member.isHungry) credit += member.credit;
    this.#sources?.pull(credit - this.#waiting.length);
  }

  /** The member that gets the next message. */
  #next(): JetStreamMember | undefined {
    for (const member of this.#members) {
      if (member.credit === 0 || member.out.length >= MAX_BATCH_BYTES) continue;
      // It goes to the end of the line.
      this.#members.delete(member);
      this.#members.add(member);
      return member;
    }
    return undefined;
  }

  #deliver({ message, letter: isLetter, at }: Arrived, member: JetStreamMember): void {
    const reply = message.reply!;
    const delivered = deliveredOf(reply);
    if (!isLetter) this.#noteGap(delivered.seq);
    const key = isLetter ? -delivered.seq : delivered.seq;
    const letter = isLetter ? delivered.seq : undefined;
    // JetStream has given up waiting for the one before.
    const before = this.#bySeq.get(key);
    if (before) this.#forget(before);
    const wanted = isLetter
      ? delivered.seq <= this.#record.state.redrive
      : this.#matcher.matches(message.subject);
    const revived = wanted && isLetter ? reviveMessage(this.#host.messages, message) : undefined;
    if (!wanted || (isLetter && revived === undefined)) return this.#publish(reply, ACK);
    const { seq, time } = revived ?? delivered;
    const attempt = Math.max(1, delivered.attempt - (this.#record.state.uncounted[key] ?? 0));
    const { maxAttempts, ackWaitMs } = this.settings;
    const now = performance.now();
    const number = this.#host.numbers.next();
    const delivery: OpenDelivery = {
      number,
      seq,
      time,
      attempt,
      reply,
      letter,
      member,
      takenAt: now,
      dueAt: now + ackWaitMs,
    };
    if (maxAttempts > 0 && attempt > maxAttempts) {
      const last = { ...delivery, attempt: maxAttempts };
      return this.#bury(last, this.#reasons.get(key) ?? TIMED_OUT);
    }
    if (now - at > LONG_WAIT_MS) this.#publish(reply, WORKING);
    if (attempt > 1) this.#redelivered++;
    const tail = `,"sid":${member.sid},"stream":"${this.stream}","consumer":"${this.name}",` +
      `"seq":${seq},"time":${time},"delivery":${number},"attempt":${attempt}}`;
    if (revived) writeExtended(member.out, revived.frame, tail);
    else this.#host.messages.write(member.out, message, tail);
    this.#open.set(number, delivery);
    this.#bySeq.set(key, delivery);
    this.#arm(delivery.dueAt);
    member.add(delivery);
  }

  #working(delivery: OpenDelivery): void {
    delivery.dueAt = performance.now() + this.settings.ackWaitMs;
    this.#publish(delivery.reply, WORKING);
  }

  async #acknowledge(deliveries: readonly OpenDelivery[], durable: boolean): Promise<void> {
    const { deadLetters, link } = this.#host;
    const letters: Promise<void>[] = [];
    let last: string | undefined;
    for (const { reply, letter, seq } of deliveries) {
      this.#reasons.delete(letter === undefined ? seq : -letter);
      if (letter !== undefined) letters.push(deadLetters.remove(letter));
      if (last !== undefined || letter !== undefined) this.#publish(last ?? reply, ACK);
      if (letter === undefined) last = reply;
    }
    this.#host.acknowledged(this.stream);
    const removed = Promise.all(letters).then(() => {});
    if (!durable) {
      if (last !== undefined) this.#publish(last, ACK);
      return this.#host.busy(removed.catch(() => {}));
    }
    try {
      // JetStream deals with them in their order: with the last one, all are done.
      if (last !== undefined) await link.connection.request(last, ACK, { timeout: REQUEST_MS });
      await removed;
    } catch (error) {
      const message = `JetStream has not confirmed the acknowledgement: ${messageOf(error)}`;
      throw new StreamError("unavailable", message);
    }
  }

  /** Has a message delivered again, or moves it to the dead letters after its last attempt. */
  #giveBack(delivery: OpenDelivery, delayMs: number, reason: string | undefined): void {
    const { attempt, reply, letter, seq } = delivery;
    this.#forget(delivery);
    const key = letter === undefined ? seq : -letter;
    if (reason !== undefined) {
      if (this.#reasons.size >= MAX_REASONS) this.#reasons.clear();
      this.#reasons.set(key, reason);
    } else this.#reasons.delete(key);
    const { maxAttempts } = this.settings;
    if (letter === undefined && seq < this.#host.knownFirst(this.stream)) {
      // It is not kept any more, so it cannot come again.
      this.#publish(reply, ACK);
      this.#miss(1);
    } else if (maxAttempts > 0 && attempt >= maxAttempts) this.#bury(delivery, reason);
    else this.#publish(reply, nak(delayMs));
  }

  #bury(delivery: OpenDelivery, reason: string | undefined): void {
    const { seq, time, attempt: attempts, letter, reply } = delivery;
    const { stream, name: consumer } = this;
    const buried = {
      stream,
      consumer,
      created: this.#created,
      seq,
      time,
      attempts,
      reason,
      letter,
    };
    const done = this.#host.deadLetters.store(buried).then(() => {
      this.#reasons.delete(letter === undefined ? seq : -letter);
      this.#publish(reply, ACK);
      this.#host.acknowledged(stream);
    }, () => this.#publish(reply, nak(RETRY_MS)));
    this.#host.busy(done);
  }

  /** Has messages delivered again as if they had not been. */
  #giveBackUncounted(keys: readonly number[], replies: readonly string[]): void {
    const noted = this.#record.change((state) => {
      const uncounted: Record<string, number> = {};
      const first = this.#host.knownFirst(this.stream);
      for (const [key, count] of Object.entries(state.uncounted)) {
        if (Number(key) < 0 || Number(key) >= first) uncounted[key] = count;
      }
      for (const key of keys) uncounted[key] = (uncounted[key] ?? 0) + 1;
      return { ...state, uncounted };
    });
    const giveBack = () => {
      for (const reply of replies) this.#publish(reply, nak(0));
    };
    this.#host.busy(noted.then(giveBack, giveBack));
  }

  #left(member: JetStreamMember, counted: boolean): void {
    this.#members.delete(member);
    const uncounted: OpenDelivery[] = [];
    for (const delivery of [...this.#open.values()]) {
      if (delivery.member !== member) continue;
      if (counted && member.hasTaken(delivery)) this.#giveBack(delivery, 0, LEFT);
      else {
        this.#forget(delivery);
        uncounted.push(delivery);
      }
    }
    if (uncounted.length > 0) {
      const keys = uncounted.map(({ letter, seq }) => letter === undefined ? seq : -letter);
      this.#giveBackUncounted(keys, uncounted.map(({ reply }) => reply));
    }
    if (this.#members.size === 0) {
      this.#sources?.close();
      this.#sources = undefined;
    }
    this.#serve();
  }

  #forget(delivery: OpenDelivery): void {
    const { number, letter, seq, member } = delivery;
    this.#open.delete(number);
    this.#bySeq.delete(letter === undefined ? seq : -letter);
    member.open--;
  }

  #backoff({ attempt }: OpenDelivery): number {
    return backoffOf(this.settings, attempt);
  }

  #publish(subject: string, what: Uint8Array): void {
    const { link } = this.#host;
    if (link.connected && !link.connection.isClosed()) link.connection.publish(subject, what);
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => this.#expire(),
      Math.min(Math.max(0, at - performance.now()), MAX_TIMER_MS),
    );
  }

  /** Takes back what was not acknowledged in time. */
  #expire(): void {
    const now = performance.now();
    let next = Infinity;
    for (const delivery of [...this.#open.values()]) {
      if (delivery.dueAt <= now) this.#giveBack(delivery, this.#backoff(delivery), TIMED_OUT);
      else next = Math.min(next, delivery.dueAt);
    }
    this.#timerAt = Infinity;
    if (next !== Infinity) this.#arm(next);
    this.#serve();
  }

  /** Notes numbers that were passed over: others may have those messages, or nobody. */
  #noteGap(seq: number): void {
    if (seq <= this.#seen) return;
    if (seq > this.#seen + 1 && !this.#host.isSwept(this.stream) && this.#gaps.length < MAX_GAPS) {
      this.#gaps.push([this.#seen + 1, seq]);
    }
    this.#seen = seq;
  }

  async #lookAtGaps(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const gaps = this.#gaps.splice(0);
      this.#gapsLookedAt = performance.now();
      const first = await this.#host.firstSeq(this.stream);
      const dropped = gaps.filter(([from]) => from < first)
        .map(([from, to]) => [from, Math.min(to, first)] as const);
      if (dropped.length > 0) await this.#tell(dropped);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Tells of messages that were dropped, unless another gateway has. */
  async #tell(dropped: readonly (readonly [from: number, to: number])[]): Promise<void> {
    let count = 0;
    try {
      await this.#record.change((state) => {
        count = dropped.reduce(
          (sum, [from, to]) => sum + Math.max(0, to - Math.max(from, state.told)),
          0,
        );
        return count === 0 ? undefined : { ...state, told: dropped.at(-1)![1] };
      });
    } catch {
      // It is told all the same, if perhaps twice.
    }
    this.#miss(count);
  }

  #miss(count: number): void {
    const [member] = this.#members;
    if (member === undefined || count === 0) return;
    member.missed += count;
    member.handOut();
  }
}

function arrivedKey({ message, letter }: Arrived): number {
  const { seq } = deliveredOf(message.reply!);
  return letter ? -seq : seq;
}

function replyOf({ message }: Arrived): string {
  return message.reply!;
}

/** A dead letter as the message that it was; `undefined` if a stranger wrote it. */
function reviveMessage(
  messages: StoredMessages,
  message: Msg,
): ReturnType<typeof revive> | undefined {
  try {
    return revive(messages.frameOf(message));
  } catch {
    return undefined;
  }
}
