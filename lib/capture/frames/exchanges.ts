import { Budget } from "../../base/budget.ts";
import { Deque } from "../../base/deque.ts";
import type { FrameHeader } from "../../frame/header.ts";
import { type Direction, otherWay } from "../traffic.ts";

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
const FEW_OPEN = 16;

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
  readonly #inOrder = new Deque<OpenRequest>();
  readonly #byId = { up: new Map<number, OpenRequest>(), down: new Map<number, OpenRequest>() };
  readonly #byTopic = { up: new Map<string, OpenRequest>(), down: new Map<string, OpenRequest>() };
  readonly #budget: Budget;

  /** @param budget Counts the open requests of all connections. */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** How many requests wait for an answer. */
  get open(): number {
    return this.#inOrder.length + this.#byId.up.size + this.#byId.down.size;
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
    if (!isControl) {
      if (direction === "down") {
        if (this.#inOrder.length > 0) this.#budget.give(1);
        return this.#inOrder.shift();
      }
      this.#budget.take(1);
      this.#inOrder.push(request);
      this.#forgetOldest();
      return undefined;
    }
    const { id, topic, "reply-to": replyTo } = header;
    const isNumbered = typeof id === "number";
    if (isNumbered && ANSWERS.has(kind)) {
      const answered = this.#takeFrom(this.#byId[otherWay(direction)], id);
      // A `bye` is a request of one side, and the answer of the other.
      if (answered !== undefined || kind !== "bye") return answered;
    }
    // A publication that comes down has the id that its publisher gave it.
    if (isNumbered && (direction === "up" || kind !== "pub")) {
      this.#put(this.#byId[direction], id, request);
    }
    if (kind !== "pub") return undefined;
    if (typeof replyTo === "string") this.#put(this.#byTopic[direction], replyTo, request);
    if (typeof topic !== "string") return undefined;
    return this.#takeFrom(this.#byTopic[otherWay(direction)], topic);
  }

  /** Forgets what waits: nothing follows, or bytes are missing, so that nothing is certain. */
  clear(): void {
    this.#budget.give(this.#inOrder.length);
    this.#inOrder.clear();
    for (const direction of ["up", "down"] as const) {
      for (const open of [this.#byId[direction], this.#byTopic[direction]]) {
        this.#budget.give(open.size);
        open.clear();
      }
    }
  }

  #put<K>(open: Map<K, OpenRequest>, key: K, request: OpenRequest): void {
    if (!open.delete(key)) this.#budget.take(1);
    open.set(key, request);
    this.#forgetOldest();
  }

  /** Makes room, if there are too many of all connections and not just a few of this one. */
  #forgetOldest(): void {
    if (!this.#budget.isOver || this.#count <= FEW_OPEN) return;
    this.#budget.give(1);
    if (this.#inOrder.length > 0) return void this.#inOrder.shift();
    const { up, down } = this.#byId;
    const maps: Map<unknown, OpenRequest>[] = [up, down, this.#byTopic.up, this.#byTopic.down];
    const largest = maps.reduce((a, b) => a.size >= b.size ? a : b);
    largest.delete(largest.keys().next().value);
  }

  get #count(): number {
    return this.open + this.#byTopic.up.size + this.#byTopic.down.size;
  }

  #takeFrom<K>(open: Map<K, OpenRequest>, key: K): OpenRequest | undefined {
    const request = open.get(key);
    if (open.delete(key)) this.#budget.give(1);
    return request;
  }
}
