import { FairQueue } from "../../base/fair_queue.ts";
import type { Pause } from "../../base/in_steps.ts";
import { encodeFrame } from "../../frame/frame_encoder.ts";

const ONE_BY_ONE = { atOnce: 1, maxWaiting: Infinity, maxWaitingPerKey: Infinity };

/**
 * How long publications that follow each other are gathered before they are sent, in milliseconds:
 * for a thousand subscribers, sending one takes as long as handing out twenty.
 */
const GATHERING_MS = 10;

/** Where they are published. */
interface Publisher {
  readonly pause: Pause;
  publishFrame(topic: string, frame: () => Uint8Array<ArrayBuffer>): Promise<unknown>;
  readonly flushSoon: () => void;
}

/**
 * Publications that no client waits for, such as last wills. Those of a thousand connections that end
 * at once are handed out one after the other, and others are served in between.
 */
export class PublicationsInTurn {
  readonly #publisher: Publisher;
  readonly #queue = new FairQueue(ONE_BY_ONE);
  #sentAt = 0;

  /** Nothing is published at first. */
  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /**
   * Publishes a frame; resolves once it is handed out. It is sent soon after.
   *
   * @param frame Makes the frame; it is not called if nobody subscribes to the topic.
   */
  publish(topic: string, frame: () => Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#queue.run("", async () => {
      const publisher = this.#publisher;
      const turn = publisher.pause();
      if (turn) await turn;
      await publisher.publishFrame(topic, frame);
      const now = performance.now();
      if (this.#queue.waiting > 0 && now - this.#sentAt < GATHERING_MS) return;
      this.#sentAt = now;
      publisher.flushSoon();
    });
  }
}

/** The frame of a publication of the broker's own, whose content is a value as JSON. */
export function encodeJson(topic: string, value: unknown): Uint8Array<ArrayBuffer> {
  const header = { op: "pub", topic, "content-type": "text/json" };
  return encodeFrame({ header, content: JSON.stringify(value) });
}
