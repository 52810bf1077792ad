import { AgingMap } from "../../base/aging_map.ts";
import { Budget } from "../../base/budget.ts";
import { Deque } from "../../base/deque.ts";
import type { FrameHeader } from "../../frame/header.ts";
import type { Direction } from "../../net/direction.ts";

/** A request that waits for its answer. */
export interface OpenRequest {
  readonly kind: string;
  /** When its last byte went, in microseconds since 1970. */
  readonly timeUs: number;
}

/**
 * All connections together have at most this many requests whose answers are waited for. Of more, a
 * connection's oldest are forgotten: a capture of one direction has no answers.
 */
const MAX_OPEN = 131_072;

/** Open requests that a connection may always have, however many others have. */
const FEW_OPEN = 4;

/** A longer reply topic is none of ours, and is not kept. */
const MAX_TOPIC = 1_024;

/** A count of the open requests of all connections. */
export function openRequestsBudget(): Budget {
  return new Budget("open requests", MAX_OPEN);
}

/** Operations that answer the frame of the other side with the same `id`. */
const ANSWERS: ReadonlySet<string> = new Set(["ok", "error", "pong", "bye"]);

/**
 * Pairs the answers of a connection with their requests. Requests without `op` are answered in their
 * order; frames of publish/subscribe by their `id`, and a publication with `reply-to` by the first
 * one on that topic.
 */
export class Exchanges {
  // What is below is made when it is needed: most connections of a large capture say little.
  #inOrder: Deque<OpenRequest> | undefined;
  #idsUp: AgingMap<number, OpenRequest> | undefined;
  #idsDown: AgingMap<number, OpenRequest> | undefined;
  #topicsUp: AgingMap<string, OpenRequest> | undefined;
  #topicsDown: AgingMap<string, OpenRequest> | undefined;
  readonly #budget: Budget;

  /** @param budget Counts the open requests of all connections. */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** How many requests wait for an answer. */
  get open(): number {
    return (this.#inOrder?.length ?? 0) + (this.#idsUp?.size ?? 0) + (this.#idsDown?.size ?? 0);
  }

  /**
   * Takes a frame that is complete.
   *
   * @param isControl Whether it has an `op`.
   * @returns the request that it answers.
   */
  take(
    header: FrameHeader,
    kind: string,
    isControl: boolean,
    direction: Direction,
    timeUs: number,
  ): OpenRequest | undefined {
    const request = { kind, timeUs };
    const isUp = direction === "up";
    if (!isControl) {
      if (!isUp) return this.#taken(this.#inOrder?.shift());
      this.#inOrder ??= new Deque();
      this.#inOrder.push(request);
      this.#added();
      return undefined;
    }
    const { id, topic, "reply-to": replyTo } = header;
    const isNumbered = typeof id === "number";
    if (isNumbered && ANSWERS.has(kind)) {
      const answered = this.#taken((isUp ? this.#idsDown : this.#idsUp)?.delete(id));
      // A `bye` is a request of one side, and the answer of the other.
      if (answered !== undefined || kind !== "bye") return answered;
    }
    // A publication that comes down has the id that its publisher gave it.
    if (isNumbered && (isUp || kind !== "pub")) {
      const ids = isUp ? this.#idsUp ??= new AgingMap() : this.#idsDown ??= new AgingMap();
      if (ids.set(id, request)) this.#added();
    }
    if (kind !== "pub") return undefined;
    if (typeof replyTo === "string" && replyTo.length <= MAX_TOPIC) {
      const topics = isUp ? this.#topicsUp ??= new AgingMap() : this.#topicsDown ??= new AgingMap();
      if (topics.set(replyTo, request)) this.#added();
    }
    if (typeof topic !== "string") return undefined;
    return this.#taken((isUp ? this.#topicsDown : this.#topicsUp)?.delete(topic));
  }

  /** Forgets what waits: nothing follows, or bytes are missing, so that nothing is certain. */
  clear(): void {
    this.#budget.give(this.#count);
    this.#inOrder = undefined;
    this.#idsUp = this.#idsDown = undefined;
    this.#topicsUp = this.#topicsDown = undefined;
  }

  #taken(request: OpenRequest | undefined): OpenRequest | undefined {
    if (request) this.#budget.give(1);
    return request;
  }

  /** Makes room, if there are too many of all connections and not just a few of this one. */
  #added(): void {
    this.#budget.take(1);
    if (!this.#budget.isOver || this.#count <= FEW_OPEN) return;
    this.#budget.give(1);
    if (this.#inOrder && this.#inOrder.length > 0) return void this.#inOrder.shift();
    [this.#idsUp, this.#idsDown, this.#topicsUp, this.#topicsDown]
      .reduce((a, b) => (a?.size ?? 0) >= (b?.size ?? 0) ? a : b)!.takeOldest();
  }

  get #count(): number {
    return this.open + (this.#topicsUp?.size ?? 0) + (this.#topicsDown?.size ?? 0);
  }
}
