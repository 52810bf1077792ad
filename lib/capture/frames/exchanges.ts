import { Deque } from "../../base/deque.ts";
import type { FrameHeader } from "../../frame/header.ts";
import { type Direction, otherWay } from "../traffic.ts";

/** A request that waits for its answer. */
export interface OpenRequest {
  readonly kind: string;
  /** When its last byte went, in microseconds since 1970. */
  readonly timeUs: number;
}

/** A connection has at most this many requests whose answers are waited for; more are forgotten. */
const MAX_OPEN = 65_536;

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
      if (direction === "down") return this.#inOrder.shift();
      if (this.#inOrder.length >= MAX_OPEN) this.#inOrder.shift();
      this.#inOrder.push(request);
      return undefined;
    }
    const { id, topic, "reply-to": replyTo } = header;
    const isNumbered = typeof id === "number";
    if (isNumbered && ANSWERS.has(kind)) {
      const answered = takeFrom(this.#byId[otherWay(direction)], id);
      // A `bye` is a request of one side, and the answer of the other.
      if (answered !== undefined || kind !== "bye") return answered;
    }
    // A publication that comes down has the id that its publisher gave it.
    if (isNumbered && (direction === "up" || kind !== "pub")) {
      put(this.#byId[direction], id, request);
    }
    if (kind !== "pub") return undefined;
    if (typeof replyTo === "string") put(this.#byTopic[direction], replyTo, request);
    if (typeof topic !== "string") return undefined;
    return takeFrom(this.#byTopic[otherWay(direction)], topic);
  }

  /** Forgets what waits: bytes are missing, so that nothing is certain. */
  clear(): void {
    this.#inOrder.clear();
    for (const direction of ["up", "down"] as const) {
      this.#byId[direction].clear();
      this.#byTopic[direction].clear();
    }
  }
}

function put<K>(open: Map<K, OpenRequest>, key: K, request: OpenRequest): void {
  if (open.size >= MAX_OPEN) open.delete(open.keys().next().value!);
  open.set(key, request);
}

function takeFrom<K>(open: Map<K, OpenRequest>, key: K): OpenRequest | undefined {
  const request = open.get(key);
  if (request !== undefined) open.delete(key);
  return request;
}
