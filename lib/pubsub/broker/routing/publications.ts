import { MAX_CACHED_BYTES } from "../../../base/byte_cache.ts";
import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import type { Principal } from "../../../access/mod.ts";
import { mayPublish } from "./rights.ts";
import { NOBODY, type Route } from "./route.ts";
import type { Router } from "./router.ts";
import type { SharedBackplane } from "../backplane.ts";
import { membersProblem } from "../header_room.ts";
import type { Forgetful, SpeedMemory } from "./speed_memory.ts";
import { isInbox, isSystem, SYSTEM_PREFIX, topicProblem } from "../../protocol/topic.ts";

/** What a header with the op `pub` asks for. */
export interface Publication {
  readonly header: FrameHeader;
  /** The one that was found after it the last time: many publishers repeat a sequence of topics. */
  next: Publication | undefined;
  readonly topic: string;
  /** Whether it goes to its receivers and that is all: not retained, kept, or to be confirmed. */
  plain: boolean;
  /** Whether it asks for no more than that; a stream may keep it nevertheless. */
  readonly simple: boolean;
  /** The stream that keeps its topic. */
  stream: string | undefined;
  /** Whether the broker itself answers it. */
  readonly system: boolean;
  /** Why it is not done. */
  readonly refusal: Refusal | undefined;
  /** Where it goes; `undefined` if that has to be searched for. */
  route: Route | undefined;
}

/** Headers whose publication is remembered. */
const MAX_HEADERS = 8_192;

/** After this many misses in a row only every `SAMPLE`th header is remembered. */
const MISSES_BEFORE_SAMPLING = 64;
const SAMPLE = 16;

/**
 * What a remembered header costs with its publication, and what each of its bytes costs more. A
 * header of 220 bytes with 30 empty objects takes 2,200 bytes of the heap, one with only a topic
 * 180.
 */
const HEADER_BYTES = 500;
const HEADER_BYTE_BYTES = 12;

/** A larger route is not kept with a header: what routes take is counted by the router. */
const MAX_KEPT_ROUTE_BYTES = 500;

/**
 * Publications by their header object: frames with equal headers share one, so that what a header
 * asks for, whether its sender may, and where it goes are found once.
 */
export class Publications implements Forgetful {
  readonly #router: Router;
  readonly #streamOf: (topic: string) => string | undefined;
  readonly #shared: SharedBackplane | undefined;
  readonly #principal: Principal;
  readonly #memory: SpeedMemory;
  readonly #byHeader = new Map<FrameHeader, Publication>();
  /** Those that have a route. It is valid for one generation of the router. */
  readonly #routed: Publication[] = [];
  #generation = 0;
  /** The remembered one that was found last. */
  #last: Publication | undefined;
  /** The one that was found last, if its route is too large to be kept. */
  #large: Publication | undefined;
  #bytes = 0;
  #misses = 0;
  /** The topic that was checked last, and why nothing may be published to it. */
  #topic: unknown;
  #topicRefusal: Refusal | undefined;

  /**
   * For the clients of one principal. Takes what it remembers from `memory`.
   *
   * @param streamOf Tells which stream keeps a topic; asked again when the router has changed.
   * @param shared What has to carry them to other brokers, where there may be some.
   */
  constructor(
    router: Router,
    principal: Principal,
    memory: SpeedMemory,
    streamOf: (topic: string) => string | undefined,
    shared?: SharedBackplane,
  ) {
    this.#shared = shared;
    this.#router = router;
    this.#streamOf = streamOf;
    this.#principal = principal;
    this.#memory = memory;
    memory.add(this);
  }

  /**
   * The publication of a frame with the op `pub`, its route as of this moment. A route is good until
   * the next call.
   */
  find({ header, start, contentStart }: Frame): Publication {
    if (this.#generation !== this.#router.generation) this.#forgetRoutes();
    if (this.#large) this.#large = this.#large.route = undefined;
    let publication = this.#last?.next;
    if (publication?.header === header) {
      this.#last = publication;
      this.#misses = 0;
      if (publication.route === undefined) this.#findRoute(publication, true);
      return publication;
    }
    publication = this.#byHeader.get(header);
    let isKept = true;
    if (publication === undefined) {
      const headerBytes = contentStart - start - 2;
      publication = this.#read(header, headerBytes);
      // A header with an id does not come again, nor does a reply's; a larger one is a new object each
      // time.
      const recurs = publication.simple && headerBytes <= MAX_CACHED_BYTES &&
        !isInbox(publication.topic);
      isKept = recurs && this.#remember(header, publication, headerBytes);
    } else this.#misses = 0;
    if (publication.route === undefined) this.#findRoute(publication, isKept);
    if (isKept) {
      if (this.#last) this.#last.next = publication;
      this.#last = publication;
    }
    return publication;
  }

  forget(): void {
    this.#byHeader.clear();
    this.#last = undefined;
    this.#routed.length = 0;
    this.#memory.give(this.#bytes);
    this.#bytes = 0;
  }

  /** Called when the principal has no clients any more. */
  close(): void {
    this.#memory.delete(this);
  }

  #findRoute(publication: Publication, isKept: boolean): void {
    publication.stream = publication.system ? undefined : this.#streamOf(publication.topic);
    publication.plain = publication.simple && publication.stream === undefined;
    const route = publication.route = this.#router.find(publication.topic);
    if (route === undefined || !isKept) return;
    if (route.bytes > MAX_KEPT_ROUTE_BYTES) this.#large = publication;
    else this.#routed.push(publication);
  }

  /** Otherwise subscribers that are gone would stay in memory until somebody publishes to them. */
  #forgetRoutes(): void {
    for (const publication of this.#routed) publication.route = undefined;
    this.#routed.length = 0;
    this.#generation = this.#router.generation;
  }

  /** Whether it is remembered from now on. */
  #remember(header: FrameHeader, publication: Publication, headerBytes: number): boolean {
    if (this.#misses++ >= MISSES_BEFORE_SAMPLING && this.#misses % SAMPLE !== 0) return false;
    if (this.#byHeader.size >= MAX_HEADERS) this.forget();
    const bytes = HEADER_BYTES + HEADER_BYTE_BYTES * headerBytes;
    if (!this.#memory.tryTake(bytes)) return false;
    this.#bytes += bytes;
    this.#byHeader.set(header, publication);
    return true;
  }

  #read(header: FrameHeader, headerBytes: number): Publication {
    const topic = header["topic"] as string;
    const refusal = this.#refusal(header, headerBytes);
    const system = refusal === undefined && topic.startsWith(SYSTEM_PREFIX);
    const simple = refusal === undefined && !system && header["id"] === undefined &&
      header["retain"] !== true && header["stored"] === undefined;
    const found = { route: refusal && NOBODY, stream: undefined };
    return { header, next: undefined, topic, plain: simple, simple, system, refusal, ...found };
  }

  #refusal(header: FrameHeader, headerBytes: number): Refusal | undefined {
    const problem = membersProblem(header, headerBytes);
    if (problem !== undefined) return { code: "frame-too-large", message: problem };
    const replyTo = header["reply-to"];
    const replyProblem = replyTo === undefined ? undefined : topicProblem(replyTo);
    if (replyProblem !== undefined) {
      const message = `Cannot use ${quote(replyTo)} as reply-to: ${replyProblem}`;
      return { code: "bad-topic", message };
    }
    const { retain } = header;
    if (retain !== undefined && typeof retain !== "boolean") {
      return { code: "bad-field", message: "The field retain must be true or false" };
    }
    const { "ok-if": okIf } = header;
    if (okIf !== undefined && okIf !== "nobody") {
      return { code: "bad-field", message: 'The field ok-if must be "nobody"' };
    }
    // Fields by which a subscriber tells what a delivery is for.
    if (header["group"] !== undefined) return notTheirs("group");
    if (header["sid"] !== undefined) return notTheirs("sid");
    const refusal = this.#refusalOf(header["topic"]) ??
      retainRefusal(header["topic"] as string, retain);
    if (refusal || this.#shared === undefined) return refusal;
    return isLocal(header["topic"] as string) ? undefined : this.#shared.publishRefusal(header);
  }

  /** Most publications that differ in their headers, as each does that has an id, have one topic. */
  #refusalOf(topic: unknown): Refusal | undefined {
    if (topic === undefined || topic !== this.#topic) {
      this.#topic = topic;
      this.#topicRefusal = publishRefusal(this.#principal, topic);
    }
    return this.#topicRefusal;
  }
}

/** Whether a topic is this broker's own affair, wherever other brokers are. */
function isLocal(topic: string): boolean {
  return topic.startsWith(SYSTEM_PREFIX);
}

/** Whoever may publish nowhere may reply: the memory for retained frames is not theirs to fill. */
function retainRefusal(topic: string, retain: boolean | undefined): Refusal | undefined {
  if (retain !== true || !isInbox(topic)) return undefined;
  const message = `Cannot retain on ${quote(topic)}: an inbox is for replies`;
  return { code: "forbidden", message };
}

function notTheirs(field: string): Refusal {
  return { code: "bad-field", message: `The field ${field} is the broker's to set` };
}

/**
 * Why a principal may not publish to a topic; `undefined` if it may. Everything published on a
 * client's behalf, even by the broker itself, is checked here by that client's rights.
 */
export function publishRefusal(principal: Principal, topic: unknown): Refusal | undefined {
  if (topic === undefined) return { code: "bad-topic", message: "The field topic is missing" };
  const problem = topicProblem(topic);
  if (problem !== undefined) {
    return { code: "bad-topic", message: `Cannot publish to ${quote(topic)}: ${problem}` };
  }
  const name = topic as string;
  if (isSystem(name) && !isInbox(name) && !name.startsWith(SYSTEM_PREFIX)) {
    const message = `Cannot publish to ${quote(name)}: topics that begin with _ are the system's`;
    return { code: "forbidden", message };
  }
  if (!mayPublish(principal, name)) {
    const message = `${principal.name} may not publish to ${quote(name)}`;
    return { code: "forbidden", message };
  }
  return undefined;
}
