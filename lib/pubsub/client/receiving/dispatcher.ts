import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import type { ClientDeliveries } from "./client_deliveries.ts";
import type { ClientLink, LinkHandler } from "../link/client_link.ts";
import { type PendingAnswers, refusalOf } from "../publishing/pending_answers.ts";
import { RUN_OP } from "../../protocol/run_frame.ts";
import type { StreamReadings } from "../streams/stream_readings.ts";
import { byeError, type PubSubError } from "../pubsub_error.ts";

/** Brings each frame that comes from the broker to where it belongs. */
export class Dispatcher implements LinkHandler {
  readonly #deliveries: ClientDeliveries;
  readonly #answers: PendingAnswers;
  readonly #readings: StreamReadings;
  readonly #refused: (refusal: PubSubError) => void;

  /**
   * For all connections of a client, one after the other.
   *
   * @param refused Is told what the broker refused, and nobody waits for.
   */
  constructor(
    deliveries: ClientDeliveries,
    answers: PendingAnswers,
    readings: StreamReadings,
    refused: (refusal: PubSubError) => void,
  ) {
    this.#deliveries = deliveries;
    this.#answers = answers;
    this.#readings = readings;
    this.#refused = refused;
  }

  readBegins(bytes: number): void {
    this.#deliveries.readBegins(bytes);
  }

  received(frame: Frame, link: ClientLink): void {
    const { header } = frame;
    switch (header["op"]) {
      case "pub":
        if (header["sid"] !== undefined) return this.#readings.received(frame);
        return this.#deliveries.deliver(frame);
      case "missed":
        if (header["sid"] !== undefined) return this.#readings.received(frame);
        return this.#deliveries.missed(header);
      case RUN_OP:
      case "caught-up":
        return this.#readings.received(frame);
      case "ok":
        this.#deliveries.confirmed(header);
        this.#answers.settle(header);
        return;
      case "pong":
        this.#answers.settle(header);
        return;
      case "error":
        return this.#failed(header);
      case "ping":
        return link.answerPing(header["id"]);
      case "bye":
        link.close(byeError(header));
    }
  }

  tooLarge(header: FrameHeader): void {
    if (header["op"] === "pub") this.#deliveries.tooLarge(header);
  }

  readEnds(): void {
    this.#deliveries.readEnds();
  }

  room(): Promise<void> | undefined {
    return this.#deliveries.room();
  }

  #failed(header: FrameHeader): void {
    if (this.#answers.settle(header)) return;
    const { filter, group, sid } = header;
    const error = refusalOf(header);
    if (typeof sid === "number") return this.#readings.refused(sid, error);
    if (typeof filter !== "string") return this.#refused(error);
    this.#deliveries.ended(filter, group as string | undefined, error);
  }
}
