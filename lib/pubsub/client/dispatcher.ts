import type { Frame } from "../../frame/mod.ts";
import type { ClientDeliveries } from "./client_deliveries.ts";
import type { ClientLink, LinkHandler } from "./client_link.ts";
import { type PendingAnswers, refusalOf } from "./pending_answers.ts";
import { byeError } from "./pubsub_error.ts";
import type { TellError } from "./tell_error.ts";

/** Brings each frame that comes from the broker to where it belongs. */
export class Dispatcher implements LinkHandler {
  readonly #deliveries: ClientDeliveries;
  readonly #answers: PendingAnswers;
  readonly #tellError: TellError;

  /** For all connections of a client, one after the other. */
  constructor(deliveries: ClientDeliveries, answers: PendingAnswers, tellError: TellError) {
    this.#deliveries = deliveries;
    this.#answers = answers;
    this.#tellError = tellError;
  }

  received(frame: Frame, link: ClientLink): void {
    const { header } = frame;
    switch (header["op"]) {
      case "pub":
        return this.#deliveries.deliver(frame);
      case "missed":
        return this.#deliveries.missed(header);
      case "ok":
        this.#deliveries.confirmed(header);
        this.#answers.settle(header);
        return;
      case "pong":
        this.#answers.settle(header);
        return;
      case "error": {
        if (this.#answers.settle(header)) return;
        const { filter, group } = header;
        const error = refusalOf(header);
        if (typeof filter === "string") {
          return this.#deliveries.ended(filter, group as string | undefined, error);
        }
        return this.#tellError(error, "The broker refused a publication");
      }
      case "ping":
        void link.send({ header: { op: "pong", id: header["id"] } });
        return;
      case "bye":
        link.close(byeError(header));
    }
  }

  room(): Promise<void> | undefined {
    return this.#deliveries.room();
  }
}
