import { reportError } from "../../base/report.ts";
import type { Frame } from "../../frame/mod.ts";
import type { SharedMemory } from "../../net/mod.ts";
import type { BrokerCore } from "./broker_core.ts";
import { Pace } from "./delivery/pace.ts";
import { DELIVERY_NS, HEADER_NS, LOOK_NS } from "./request_time.ts";
import {
  concernsStreams,
  performOperation,
  refusalWithoutStore,
  streamWork,
} from "./operations.ts";
import { BAD_ID, isId } from "./request_fields.ts";
import type { Refusal } from "../protocol/codes.ts";
import { confirmPublication, publishRetained } from "./confirmed_publication.ts";
import type { Requester } from "./requester.ts";
import type { Publication, Publications } from "./routing/publications.ts";
import type { Route } from "./routing/route.ts";
import type { Receiver } from "./routing/subscription.ts";
import { answerSystemTopic } from "./system_topics.ts";

/** What a request costs. */
const REQUEST_NS = 10_000;

/** To look for the members of more groups takes more than a millisecond, where many are behind. */
const MANY_GROUPS = 250;

/**
 * How many bytes of a publication that a stream keeps are copied in a nanosecond. All else of it takes
 * 0.9 µs, for which its header is counted.
 */
const BYTES_PER_NS = 8;

/** The connection whose frames a {@linkcode FrameHandler} deals with. */
export interface FrameSender extends Requester {
  /** What its headers ask for; `undefined` until it is known who the client is. */
  readonly publications: Publications | undefined;
  /** The memory that the frames lie in. */
  readonly memory: SharedMemory;
  /** Whether a request has to be waited for before the next frame is dealt with. */
  readonly waits: boolean;
}

/**
 * Deals with what one client sends: publications are handed to their receivers in runs of frames
 * that have the same ones, requests are carried out one by one.
 */
export class FrameHandler {
  /** How many publications came. */
  published = 0;
  /** How the client waits for its receivers; made when it publishes. */
  pace: Pace<Receiver> | undefined;
  /** Resolves when the receivers of the next publications have room for them. */
  room: Promise<void> | undefined;
  /** Resolves when others have had their turn: the frames before have taken long. */
  turn: Promise<void> | undefined;
  /** Work since the last look at the clock, in this call. */
  #workedNs = 0;
  readonly #source: FrameSender;
  readonly #core: BrokerCore;

  constructor(source: FrameSender, core: BrokerCore) {
    this.#source = source;
    this.#core = core;
  }

  /**
   * Deals with frames from one on.
   *
   * @returns The index at which to go on, once there is {@linkcode FrameHandler.room}, others have had
   * their {@linkcode FrameHandler.turn}, and the requests that must be waited for are done; the number
   * of frames if all are dealt with.
   */
  handle(frames: readonly Frame[], from: number): number {
    this.room = this.turn = undefined;
    // Others are kept waiting by what is done in one go: not by small requests, one after the other,
    // each read by itself.
    if (from === 0) this.#workedNs = 0;
    const { publications } = this.#source;
    let first = from;
    let route: Route | undefined;
    let last: Publication | undefined;
    let lastHeader: unknown;
    // A larger run would not fit into the smallest backlog. Few batches are that large.
    const maxRunBytes = this.#core.limits.maxPendingBytes / 2;
    const isLarge = bytesOf(frames, from, frames.length) > maxRunBytes;
    for (let i = from; i < frames.length; i++) {
      const frame = frames[i]!;
      const { header } = frame;
      // Most frames have the header of the one before.
      if (header !== lastHeader) {
        lastHeader = header;
        last = publications !== undefined && header["op"] === "pub"
          ? publications.find(frame)
          : undefined;
        this.#worked(HEADER_NS + this.#core.router.takeWork());
      }
      if (last && last.route === undefined) {
        if (route && !this.#pass(frames, first, i, route)) return first;
        if (!this.#source.waits) this.#source.waitFor(this.#core.router.search(last.topic));
        return i;
      }
      if (last?.plain) {
        const fits = !isLarge || bytesOf(frames, first, i + 1) <= maxRunBytes;
        if (last.route === route && fits && !this.turn) continue;
        if (route && !this.#pass(frames, first, i, route)) return first;
        if (i > from && this.#waits) return i;
        route = last.route;
        first = i;
        continue;
      }
      if (route && !this.#pass(frames, first, i, route)) return first;
      if (i > from && this.#waits) return i;
      route = undefined;
      lastHeader = undefined;
      if (!last) {
        if (!this.#perform(frame)) return i;
      } else if (!this.#publish(frames, i, last)) return i;
      const isKept = last !== undefined && last.stream !== undefined && !last.refusal;
      this.#worked(isKept ? bytesOf(frames, i, i + 1) / BYTES_PER_NS : REQUEST_NS);
      const { ending, outbox } = this.#source;
      if (ending || this.#waits || outbox.repliesWait) return i + 1;
    }
    if (route && !this.#pass(frames, first, frames.length, route)) return first;
    return frames.length;
  }

  /** Carries out a request; `false` if something is to be loaded, or others have a turn, first. */
  #perform(frame: Frame): boolean {
    if (concernsStreams(frame.header) && this.#mustLoad()) return false;
    const { requestTime } = this.#core;
    const begin = performance.now();
    // A thousand hellos at once wait for each other; requests that take little do not wait.
    if (frame.header["op"] === "hello" && requestTime.isSpent(begin)) {
      this.turn ??= this.#core.pause();
      if (this.turn) return false;
    }
    performOperation(this.#source, this.#core, frame);
    requestTime.taken(begin, performance.now());
    return true;
  }

  /** Whether what deals with streams, where there is a store, is still being loaded: it is waited for. */
  #mustLoad(): boolean {
    if (this.#core.streams === undefined || streamWork.module !== undefined) return false;
    this.#source.waitFor(
      streamWork.load().catch((error) => {
        reportError(error, "What deals with streams could not be loaded");
        this.#source.end("shutdown");
      }),
    );
    return true;
  }

  /** Whether something has to be waited for before the next frame is dealt with. */
  get #waits(): boolean {
    return this.turn !== undefined || this.#source.waits;
  }

  /** Counts work. When all connections together have done much lately, others get their turn. */
  #worked(ns: number): void {
    this.#workedNs += ns;
    if (this.#workedNs < LOOK_NS) return;
    this.#workedNs = 0;
    this.turn ??= this.#core.pause();
  }

  /** Forwards a run; `false` if its receivers have to catch up before. */
  #pass(frames: readonly Frame[], first: number, last: number, route: Route): boolean {
    if (!this.#hasRoom(route)) return false;
    const forwarding = this.#forward(frames, first, last, route);
    if (typeof forwarding !== "number") {
      this.#source.waitFor(forwarding.then(() => undefined));
    }
    return true;
  }

  #hasRoom(route: Route): boolean {
    this.pace ??= new Pace();
    const { sendList, shared } = this.#core;
    // A hundred who publish to thousands of groups look for all of their members at once.
    if (route.groups.length > MANY_GROUPS && sendList.backlogs.size > 0) {
      this.turn ??= this.#core.pause();
      if (this.turn) return false;
    }
    this.room = sendList.room(route, this.pace, this.#source.outbox) ?? shared?.room();
    return this.room === undefined;
  }

  /** Whether the store takes one more publication of this connection; if not, its share is used up. */
  #mayBeKept(bytes: number): boolean {
    this.room = this.#core.streams!.room(this.#source.id, bytes);
    return this.room === undefined;
  }

  /**
   * @param stream The stream that keeps them, if one does: it may carry them as well.
   * @returns How many connections get it; a promise of that number where handing it out takes long.
   */
  #forward(
    frames: readonly Frame[],
    first: number,
    last: number,
    route: Route,
    stream?: string,
  ): number | Promise<number> {
    this.published += last - first;
    const { memory, outbox } = this.#source;
    const { shared, streams } = this.#core;
    if (stream === undefined || !streams!.carries) shared?.publish(frames, first, last);
    const deliveries = route.subscriptions.length + route.overlaps;
    this.#worked((deliveries + route.groups.length * (last - first)) * DELIVERY_NS);
    return this.#core.forward(memory, frames, first, last, route, outbox);
  }

  /**
   * Carries out a publication that asks for more than to be forwarded; `false` if its receivers have
   * to catch up before, or something is to be loaded.
   */
  #publish(frames: readonly Frame[], index: number, publication: Publication): boolean {
    const frame = frames[index]!;
    const { id, retain, stored } = frame.header;
    const { refusal, topic, route, stream } = publication;
    const { shared } = this.#core;
    const source = this.#source;
    if ((stored !== undefined || stream !== undefined) && this.#mustLoad()) return false;
    if (id !== undefined && !isId(id)) source.refuse(BAD_ID);
    else if (refusal) source.refuse(refusal, id);
    else if (publication.system) answerSystemTopic(source, this.#core, frame, id);
    else if (!this.#hasRoom(route!)) return false;
    else if (stream !== undefined && !this.#mayBeKept(bytesOf(frames, index, index + 1))) {
      return false;
    } else if (stored !== undefined && this.#refuseStored(frame, stream, id)) return true;
    else if (retain === true && shared) {
      this.published++;
      source.waitFor(publishRetained(source, this.#core, shared, frame, stream));
    } else if (retain === true && !this.#core.retain(topic, frame)) {
      source.refuse(retainedFull(topic), id);
    } else {
      const forwarding = this.#forward(frames, index, index + 1, route!, stream);
      if (typeof forwarding === "number") this.#handedOut(frame, stream, forwarding);
      else source.waitFor(forwarding.then((count) => this.#handedOut(frame, stream, count)));
    }
    return true;
  }

  /** Keeps or confirms a publication, if it asks for that, once it has been handed out. */
  #handedOut(frame: Frame, stream: string | undefined, receivers: number): void {
    if (stream !== undefined) {
      streamWork.module!.keepPublication(this.#source, this.#core, stream, frame, receivers);
    } else if (frame.header["id"] !== undefined) {
      confirmPublication(this.#source, this.#core, frame, receivers);
    }
  }

  /** Refuses a publication that asks to be stored and cannot be; `false` if it can. */
  #refuseStored(frame: Frame, stream: string | undefined, id: number | undefined): boolean {
    const { streams } = this.#core;
    const refusal = streams === undefined
      ? refusalWithoutStore(frame.header)
      : streamWork.module!.storedRefusal(this.#source, streams, frame, stream);
    if (refusal) this.#source.refuse(refusal, id);
    return refusal !== undefined;
  }
}

/** How many bytes the frames `frames[first, last)` have, which lie one behind the other. */
function bytesOf(frames: readonly Frame[], first: number, last: number): number {
  return first < last ? frames[last - 1]!.end - frames[first]!.start : 0;
}

function retainedFull(topic: string): Refusal {
  const message = `Cannot retain ${JSON.stringify(topic)}: the memory for retained frames is full`;
  return { code: "retained-full", message };
}
