import type { Msg } from "@nats-io/transport-node";
import { Deque } from "../../../../base/deque.ts";
import { backoffOf, LEFT, staleError, TIMED_OUT } from "../../streams/consumer_settings.ts";
import { revive } from "../../streams/dead_letter.ts";
import type { StreamError } from "../../streams/stream_error.ts";
import type {
  ConsumerFigures,
  ConsumerSettings,
  MemberInit,
  Settlement,
} from "../../streams/stream_store.ts";
import { writeExtended } from "../../delivery/extended_frame.ts";
import { TopicMatcher } from "../../streams/topic_matcher.ts";
import { fieldsOf } from "../official_headers.ts";
import { GATEWAY_MS, type LocalFigures } from "./consumer_config.ts";
import { type ConsumerHost, DeliverySettler, RETRY_MS } from "./delivery_settler.ts";
import { JetStreamMember } from "./jetstream_member.ts";
import { type MissedHost, MissedMessages } from "./missed_messages.ts";
import { OpenDeliveries } from "./open_deliveries.ts";
import { ACK, type Arrived, keyOf, nak, type OpenDelivery, WORKING } from "./open_delivery.ts";
import { MAX_BATCH_BYTES } from "./pull_source.ts";
import type { SharedRecord } from "./shared_record.ts";
import { Sources } from "./sources.ts";
import { deliveredOf, type StoredMessages } from "./stored_messages.ts";

/** After this time in the line JetStream is told that a message is still in work. */
const LONG_WAIT_MS = 500;

/** A consumer, as far as this gateway's members share it. */
export class JetStreamConsumer implements MissedHost {
  readonly stream: string;
  readonly name: string;
  readonly settings: ConsumerSettings;
  readonly #host: ConsumerHost;
  #incarnation: string;
  #record: SharedRecord;
  readonly #matcher: TopicMatcher;
  /** The first is the next that has its turn. */
  readonly #members = new Set<JetStreamMember>();
  readonly #open = new OpenDeliveries((delivery) => this.#timedOut(delivery));
  readonly #waiting = new Deque<Arrived>();
  readonly #settler: DeliverySettler;
  #sources: Sources | undefined;
  #redelivered = 0;
  #lookedAt = performance.now();
  readonly #missed: MissedMessages;

  constructor(
    host: ConsumerHost,
    { stream, consumer: name, settings, position }: ConsumerFigures,
    incarnation: string,
    record: SharedRecord,
  ) {
    this.#host = host;
    this.stream = stream;
    this.name = name;
    this.settings = settings;
    this.#record = record;
    this.#incarnation = incarnation;
    this.#matcher = new TopicMatcher(settings.topic);
    this.#settler = new DeliverySettler(host, this);
    this.#missed = new MissedMessages(this, position - 1);
  }

  /** Tells it from others that had or will have its name. */
  get incarnation(): string {
    return this.#incarnation;
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
    const now = performance.now();
    const { attempts, takenAt } = this.#open.oldest(now);
    return {
      redelivered: this.#redelivered,
      attempts,
      oldestUnackedMs: Math.round(now - takenAt),
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
        this.#open.remove(delivery);
        acked.push(delivery);
      } else this.#giveBack(delivery, delayMs ?? this.#backoff(delivery), reason);
    }
    if (acked.length > 0) await this.#settler.acknowledge(acked, durable);
    if (kind !== "working") this.#serve();
    if (stale.length > 0) throw staleError(stale, deliveries.length);
  }

  /** Called periodically. @param now Of `performance.now()`. */
  look(now: number): void {
    // Where this program was stopped for so long, others have got what is on its way here.
    if (now - this.#lookedAt > this.#waitMs && this.#sources) {
      this.#sources.cut();
      this.#sources = this.#openSources();
    }
    this.#lookedAt = now;
    this.#sources?.look(now);
    this.#serve();
    void this.#missed.look(now);
  }

  /** The connection was made again. */
  reconnected(): void {
    this.#sources?.forget();
  }

  /**
   * JetStream told up to where all is delivered, and which message is the first that is kept.
   */
  seen(delivered: number, first: number): void {
    if (this.#members.size > 0) this.#missed.told(delivered, first);
  }

  firstSeq(): Promise<number> {
    return this.#host.firstSeq(this.stream);
  }

  isSwept(): boolean {
    return this.#host.isSwept(this.stream);
  }

  /** Tells a member of messages that are no longer kept. */
  missed(count: number): void {
    const [member] = this.#members;
    if (member === undefined) return;
    member.missed += count;
    member.handOut();
  }

  /** Forgets all that is open, and asks for nothing: the consumer is made anew. */
  pause(): void {
    this.#open.clear();
    this.#waiting.clear();
    this.#sources?.cut();
    this.#sources = undefined;
  }

  /** JetStream has made it anew. */
  renew(incarnation: string, delivered: number, record: SharedRecord): void {
    this.pause();
    this.#incarnation = incarnation;
    this.#record = record;
    this.#missed.reset(delivered);
    if (this.#members.size === 0) return;
    this.#sources = this.#openSources();
    this.#serve();
  }

  /** It is gone. @param error What members are told. */
  end(error: StreamError): void {
    this.pause();
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) member.end(error);
  }

  /** The gateway ends: all that is open goes back as if it had not been delivered. */
  close(): void {
    for (const member of [...this.#members]) this.#left(member, false);
    this.#sources?.cut();
  }

  /** How long JetStream waits for an acknowledgement. */
  get #waitMs(): number {
    return this.settings.ackWaitMs + GATEWAY_MS;
  }

  #openSources(): Sources {
    const { link } = this.#host;
    return new Sources(link, this.stream, this.name, this.#record.state.redrive > 0, this.#waitMs, {
      message: (message, isLetter) => this.#arrived(message, isLetter),
      ended: () => this.#serve(),
    });
  }

  #arrived(message: Msg, letter: boolean): void {
    const arrived = { message, letter, at: performance.now() };
    const reply = message.reply!;
    const { seq, attempt } = deliveredOf(reply);
    const isNoted = () => !letter || seq <= this.#record.state.redrive;
    if (attempt === 1 && isNoted()) return this.#wait(arrived);
    // Whether earlier deliveries count, and up to where letters come again, another gateway may have
    // noted a moment ago.
    const read = this.#record.read().then(() => this.#wait(arrived), () => {
      if (isNoted()) this.#wait(arrived);
      else this.#settler.tell(reply, nak(RETRY_MS));
    });
    this.#host.busy(read);
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
        this.#settler.giveBackUncounted(waiting.map(arrivedKey), waiting.map(replyOf));
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
    if (!isLetter) this.#missed.delivered(delivered.seq);
    const key = isLetter ? -delivered.seq : delivered.seq;
    const letter = isLetter ? delivered.seq : undefined;
    this.#open.removeOf(key);
    const wanted = isLetter
      ? delivered.seq <= this.#record.state.redrive
      : this.#matcher.matches(message.subject);
    const revived = wanted && isLetter ? reviveMessage(this.#host.messages, message) : undefined;
    if (!wanted || (isLetter && revived === undefined)) return this.#settler.tell(reply, ACK);
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
      return this.#settler.bury({ ...delivery, attempt: maxAttempts });
    }
    if (now - at > LONG_WAIT_MS) this.#settler.tell(reply, WORKING);
    if (attempt > 1) this.#redelivered++;
    const tail = `,"sid":${member.sid},"stream":"${this.stream}","consumer":"${this.name}",` +
      `"seq":${seq},"time":${time},"delivery":${number},"attempt":${attempt}}`;
    if (revived) writeExtended(member.out, revived.frame, tail);
    else this.#host.messages.write(member.out, message, tail);
    this.#open.add(delivery);
    member.add(delivery);
  }

  #working(delivery: OpenDelivery): void {
    delivery.dueAt = performance.now() + this.settings.ackWaitMs;
    this.#settler.tell(delivery.reply, WORKING);
  }

  /** Has a message delivered again, or moves it to the dead letters after its last attempt. */
  #giveBack(delivery: OpenDelivery, delayMs: number, reason: string | undefined): void {
    this.#open.remove(delivery);
    const isKept = delivery.letter !== undefined ||
      delivery.seq >= this.#host.knownFirst(this.stream);
    this.#settler.giveBack(delivery, delayMs, reason, isKept);
    if (!isKept) this.missed(1);
  }

  #left(member: JetStreamMember, counted: boolean): void {
    this.#members.delete(member);
    const uncounted: OpenDelivery[] = [];
    for (const delivery of this.#open.all) {
      if (delivery.member !== member) continue;
      if (counted && member.hasTaken(delivery)) this.#giveBack(delivery, 0, LEFT);
      else {
        this.#open.remove(delivery);
        uncounted.push(delivery);
      }
    }
    if (uncounted.length > 0) {
      this.#settler.giveBackUncounted(uncounted.map(keyOf), uncounted.map(({ reply }) => reply));
    }
    if (this.#members.size === 0) {
      this.#sources?.close();
      this.#sources = undefined;
    }
    this.#serve();
  }

  #backoff({ attempt }: OpenDelivery): number {
    return backoffOf(this.settings, attempt);
  }

  #timedOut(delivery: OpenDelivery): void {
    this.#giveBack(delivery, this.#backoff(delivery), TIMED_OUT);
    this.#serve();
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
    return revive(messages.frameOf(message.subject, message.data, fieldsOf(message)));
  } catch {
    return undefined;
  }
}
