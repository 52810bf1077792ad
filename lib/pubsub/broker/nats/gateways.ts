import { Deque } from "../../../base/deque.ts";
import { inSteps, visitInParts } from "../../../base/in_steps.ts";
import { PeriodicLook } from "../../../base/periodic_look.ts";
import { reportError } from "../../../base/report.ts";
import type { Incoming } from "./incoming.ts";
import type { CoreLink } from "./core_link.ts";
import type { Origins } from "./origins.ts";
import type { TopicCounters } from "./topic_counters.ts";
import { type NatsMessage, NO_RESPONDERS } from "./wire/nats_message.ts";

/** How often a gateway tells of itself. */
const TELL_MS = 1_000;

/** Topics in one message, and in all of one second. */
const MAX_TOPICS = 500;
const MAX_TOLD = 50_000;

/** The most bytes of a message with `MAX_TOPICS` topics. */
const MAX_TOLD_BYTES = 524_288;

/** Topics of others that may wait to be looked at. */
const MAX_UNHEARD = 100_000;

/** How long to wait for gateways that are connected to NATS and do not answer. */
const ANSWER_MS = 1_000;

/** How long to wait for the answers of gateways that are not known yet. */
const FIRST_ANSWER_MS = 250;

/** Subjects below it are between gateways. Clients cannot publish there, nor subscribe. */
const PREFIX = "_socktool";

/** Stands in the place of a gateway's name where all are asked. */
const EVERYBODY = "all";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a gateway tells each second. */
interface Told {
  readonly gateway: string;
  /** The number of its last counter. */
  readonly last: number;
  /** Counters that have changed: topic, number, count. */
  readonly topics?: readonly (readonly [string, number, number])[] | undefined;
  /** How many messages with counters it has sent before; their numbers begin with 1. */
  readonly told?: number | undefined;
  /**
   * This message ends a repetition: all that the messages with the numbers `again` to `until` told has
   * been told once more.
   */
  readonly again?: number | undefined;
  readonly until?: number | undefined;
  /** Whether it ends. */
  readonly end?: boolean | undefined;
}

/** A question that all gateways answer once what was sent before it has reached them. */
interface Question {
  readonly waitsFor: Set<string>;
  readonly last: Map<string, number>;
  readonly done: PromiseWithResolvers<void>;
}

/** What gateways tell each other: that they are alive, and how many publications they have sent. */
export class Gateways {
  readonly #name: string;
  /** The link of publications; and all links: subscriptions on each are asked about. */
  readonly #link: CoreLink;
  readonly #links: readonly CoreLink[];
  readonly #origins: Origins;
  readonly #counters: TopicCounters;
  readonly #incoming: Incoming;
  readonly #questions = new Map<number, Question>();
  /** By link: the question that is about to be asked. */
  readonly #next = new Map<CoreLink, Promise<ReadonlyMap<string, number>>>();
  /** What others have told of their topics, in parts; and how many topics these are. */
  readonly #toHear = new Deque<() => boolean>();
  #unheard = 0;
  /** Resolves when all of that was looked at; `undefined` while nothing waits. */
  #hearing: Promise<void> | undefined;
  readonly #telling = new PeriodicLook(TELL_MS, (now) => void this.tell(now));
  #asked = 0;
  /** How many messages that tell of counters it has sent. */
  #tells = 0;
  /** The number of the first such message that another gateway did not get. */
  #again = Infinity;
  /** The numbers of the first and the last message whose content is being told again. */
  #retelling: { readonly from: number; readonly until: number } | undefined;
  /** What is being told; `undefined` while nothing is. */
  #round: Promise<void> | undefined;
  /** When it told of itself last, in milliseconds of `performance.now()`. */
  #toldAt = performance.now();

  /**
   * @param name This start of this gateway.
   * @param link What publications come and go by.
   * @param groupLink What brings those for groups.
   */
  constructor(
    name: string,
    link: CoreLink,
    groupLink: CoreLink,
    origins: Origins,
    counters: TopicCounters,
    incoming: Incoming,
  ) {
    this.#name = name;
    this.#link = link;
    this.#links = [link, groupLink];
    this.#origins = origins;
    this.#counters = counters;
    this.#incoming = incoming;
  }

  /** Begins. Resolves once it is known which others are there, as far as they answer in time. */
  async start(): Promise<void> {
    const on = (subject: string, take: (told: Told, reply: string) => void) =>
      this.#link.subscribe(subject, {
        received: (message) => {
          const told = readTold(message);
          if (told !== undefined) take(told, message.reply);
        },
      });
    on(`${PREFIX}.told`, (told) => this.#heard(told));
    on(`${PREFIX}.ask`, (told, reply) => this.#answer(told, reply));
    on(`${PREFIX}.ask.${this.#name}`, (told, reply) => this.#answer(told, reply));
    on(`${PREFIX}.again.${this.#name}`, ({ again = Infinity }) => {
      const { from = Infinity, until = 0 } = this.#retelling ?? {};
      // It is asked for with every message until it has come.
      if (again < from || again > until) this.#again = Math.min(this.#again, again);
    });
    for (const link of this.#links) {
      link.subscribe(`${this.#inbox(link)}.>`, {
        received: (message) => this.#answered(message),
      });
    }
    this.#telling.start();
    await this.#ask(this.#link, FIRST_ANSWER_MS, true);
  }

  /**
   * Resolves once all other gateways know what was subscribed to on a link before; by gateway, the
   * number of its last counter then. It does not wait long for one that does not answer.
   */
  inForce(link: CoreLink): Promise<ReadonlyMap<string, number>> {
    let asked = this.#next.get(link);
    if (asked === undefined) {
      // What is subscribed to until then is asked about together.
      asked = Promise.resolve().then(() => {
        this.#next.delete(link);
        return this.#ask(link, ANSWER_MS, false);
      });
      this.#next.set(link, asked);
    }
    return asked;
  }

  /** Tells that it ends, with all that it has counted. */
  async end(): Promise<void> {
    this.#telling.stop();
    this.#toHear.clear();
    await Promise.all([this.#round, this.#hearing]);
    if (!this.#link.connected) return;
    await this.#tellChanged(true);
    await this.#link.flush().catch(() => {});
  }

  /**
   * Tells what has changed. Called every second.
   *
   * @param now Of `performance.now()`.
   * @returns What to wait for until all is told; `undefined` if it is.
   */
  tell(now: number): Promise<void> | undefined {
    // A gateway that was stopped, or cut off, does not know which others were silent meanwhile.
    const isLate = now - this.#toldAt > 2 * TELL_MS;
    this.#toldAt = now;
    if (isLate || !this.#link.connected) this.#origins.forgive(now);
    if (!this.#link.connected) return undefined;
    this.#round ??= this.#tellChanged(false)
      ?.catch((error) => reportError(error, "Telling other gateways failed"))
      .finally(() => this.#round = undefined);
    const silent = this.#origins.silent(now);
    if (silent.length > 0) {
      void inSteps(visitInParts(silent, (topic) => this.#incoming.tellLost(topic, 0, true), 100));
    }
    return this.#round;
  }

  async #ask(
    link: CoreLink,
    timeoutMs: number,
    isFirst: boolean,
  ): Promise<ReadonlyMap<string, number>> {
    const question: Question = {
      waitsFor: new Set(this.#origins.alive),
      last: new Map(),
      done: Promise.withResolvers(),
    };
    // While there is no connection nothing comes anyway, and what is missing is found out later.
    if (!link.connected) return question.last;
    const id = ++this.#asked;
    this.#questions.set(id, question);
    const inbox = `${this.#inbox(link)}.${id}`;
    const told = this.#encode({});
    if (isFirst) link.publish(`${PREFIX}.ask`, told, `${inbox}.${EVERYBODY}`);
    // Each by itself: so the server says at once which of them are gone.
    for (const name of question.waitsFor) {
      link.publish(`${PREFIX}.ask.${name}`, told, `${inbox}.${name}`);
    }
    const timer = setTimeout(() => question.done.resolve(), timeoutMs);
    const answered = isFirst || question.waitsFor.size > 0
      ? question.done.promise
      : Promise.resolve();
    await Promise.all([link.flush().catch(() => question.done.resolve()), answered]);
    clearTimeout(timer);
    this.#questions.delete(id);
    return question.last;
  }

  #answer(told: Told, reply: string): void {
    if (told.gateway === this.#name) return;
    this.#note(told);
    // Behind all that was published before.
    if (reply !== "") this.#link.publish(reply, this.#encode({}));
  }

  #answered(message: NatsMessage): void {
    const [asked, id] = message.subject.split(".").reverse() as [string, string];
    const question = this.#questions.get(Number(id));
    if (message.status === NO_RESPONDERS) {
      if (asked === EVERYBODY) question?.done.resolve();
      else this.#settle(question, asked);
      return;
    }
    const told = readTold(message);
    if (told === undefined) return;
    this.#note(told);
    question?.last.set(told.gateway, told.last);
    this.#settle(question, told.gateway);
  }

  /** Notes that a gateway need not be waited for any more. */
  #settle(question: Question | undefined, gateway: string): void {
    if (question?.waitsFor.delete(gateway) && question.waitsFor.size === 0) question.done.resolve();
  }

  /** Below it a link gets the answers to what is asked on it. */
  #inbox(link: CoreLink): string {
    return `${PREFIX}.answer.${this.#name}.${this.#links.indexOf(link)}`;
  }

  /** A gateway has said something; it may have told more before than has come here. */
  #note({ gateway, last, told = 0, topics, again, until }: Told): void {
    this.#origins.heard(gateway, last, performance.now());
    // What it told while this gateway was cut off, or another way between the servers was.
    const untold = this.#origins.told(gateway, told, topics !== undefined, again, until);
    if (untold === undefined) return;
    this.#link.publish(`${PREFIX}.again.${gateway}`, this.#encode({ again: untold }));
  }

  #heard(told: Told): void {
    const { gateway, topics = [] } = told;
    if (gateway === this.#name) return;
    // As if it had not come: the next message shows that it is missing, and it is asked for again.
    if (this.#unheard + topics.length > MAX_UNHEARD) return;
    this.#note(told);
    this.#unheard += topics.length;
    this.#toHear.push(this.#hear(told));
    this.#hearing ??= inSteps(() => this.#hearSome())?.catch((error) => {
      this.#hearing = undefined;
      reportError(error, "Looking for lost publications failed");
    });
  }

  /** Looks at each topic by itself: with many filters, or many who missed something, one takes 1 ms. */
  #hear({ gateway, topics = [], end }: Told): () => boolean {
    const part = visitInParts(topics, ([topic, number, count]) => {
      this.#incoming.announced(gateway, number, count, topic);
    }, 1);
    return () => {
      if (!part()) return false;
      this.#unheard -= topics.length;
      if (end) this.#origins.ended(gateway);
      return true;
    };
  }

  /** Looks at the next topic. @returns Whether it was the last. */
  #hearSome(): boolean {
    if (this.#toHear.peek()?.()) this.#toHear.shift();
    if (this.#toHear.length > 0) return false;
    this.#hearing = undefined;
    return true;
  }

  /** Tells of what has changed, in steps: of 50,000 topics it takes 70 ms. */
  #tellChanged(isEnd: boolean): Promise<void> | undefined {
    this.#beginRetelling();
    let left = isEnd ? Infinity : MAX_TOLD;
    return inSteps(() => {
      const many = this.#tellSome(isEnd);
      left -= many;
      return many < MAX_TOPICS || left <= 0;
    });
  }

  /** Has told again what others did not get; and what was being told again, as some of it may be lost. */
  #beginRetelling(): void {
    if (this.#again === Infinity) return;
    const from = Math.min(this.#again, this.#retelling?.from ?? Infinity);
    this.#counters.takeAgain(from);
    this.#retelling = { from, until: this.#tells };
    this.#again = Infinity;
  }

  /** Tells of some topics. @returns How many; fewer than a message may have are the last. */
  #tellSome(isEnd: boolean): number {
    const changed = this.#counters.takeChanged(MAX_TOPICS, this.#tells + 1);
    const topics = changed.map(({ topic, number, count }) => [topic, number, count] as const);
    let last: Partial<Told> = {};
    if (changed.length < MAX_TOPICS) {
      const { from: again, until } = this.#retelling ?? {};
      last = { again, until, end: isEnd || undefined };
      this.#retelling = undefined;
    }
    const told = this.#encode({ topics, ...last });
    this.#tells++;
    this.#link.publish(`${PREFIX}.told`, told);
    return changed.length;
  }

  #encode(more: Partial<Told>): Uint8Array {
    const { last } = this.#counters;
    const told: Told = { gateway: this.#name, last, told: this.#tells, ...more };
    return encoder.encode(JSON.stringify(told));
  }
}

/** What a gateway has told; `undefined` if a stranger has. */
function readTold({ data }: NatsMessage): Told | undefined {
  if (data.length > MAX_TOLD_BYTES) return undefined;
  let told: Partial<Told> | null;
  try {
    told = JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
  if (typeof told?.gateway !== "string" || !Number.isSafeInteger(told.last)) return undefined;
  const { topics = [], told: before = 0, again = 0, until = 0 } = told;
  if (![before, again, until].every(Number.isSafeInteger)) return undefined;
  const isTopics = Array.isArray(topics) && topics.length <= MAX_TOPICS &&
    topics.every((each) =>
      Array.isArray(each) && typeof each[0] === "string" &&
      Number.isSafeInteger(each[1]) && Number.isSafeInteger(each[2])
    );
  return isTopics ? told as Told : undefined;
}
