import { checkOptions } from "../../../base/option_kinds.ts";
import { Reported } from "../../../base/reported_promise.ts";
import type { FrameHeader } from "../../../frame/mod.ts";
import { discardStream } from "../../../net/bytes/outgoing_stream.ts";
import { isWholeNumber } from "../../protocol/whole_number.ts";
import { badAnswer, PubSubError } from "../pubsub_error.ts";
import type { PublishContent } from "../receiving/message.ts";
import type { AnswerTaker } from "./pending_answers.ts";
import type { Confirmation, ConfirmOptions } from "./publish_options.ts";
import type { Publisher } from "./publisher.ts";
import type { UnsentReports } from "./unsent_reports.ts";

/**
 * Publishes, and waits for what the broker says of the receivers. As `BrokerClient.confirm`.
 *
 * @param resultOf What becomes of that.
 */
export function confirmPublication<T>(
  publisher: Publisher,
  unsent: UnsentReports,
  topic: string,
  content: PublishContent,
  allOptions: ConfirmOptions,
  resultOf: (confirmation: Confirmation) => T,
): Promise<T> {
  const confirming = new Confirming(unsent, topic, content, resultOf);
  try {
    checkOptions(allOptions, { exact: "flag" });
    const { exact, ...options } = allOptions;
    confirming.exact = exact ?? false;
    publisher.ask(topic, content, options, confirming);
  } catch (error) {
    confirming.reject(error);
  }
  return confirming.promise;
}

/** A publication that is not confirmed. It takes the answer itself: that saves two promises for each. */
class Confirming<T> extends Reported<T> implements AnswerTaker {
  exact = false;
  readonly #topic: string;
  readonly #content: PublishContent;
  readonly #resultOf: (confirmation: Confirmation) => T;

  constructor(
    unsent: UnsentReports,
    topic: string,
    content: PublishContent,
    resultOf: (confirmation: Confirmation) => T,
  ) {
    super((error) => unsent.unconfirmed(error, topic));
    this.#topic = topic;
    this.#content = content;
    this.#resultOf = resultOf;
  }

  resolve(answer: FrameHeader): void {
    const { receivers } = answer;
    if (!isWholeNumber(receivers)) {
      return this.reject(badAnswer("the number of receivers", this.#topic));
    }
    const isAll = answer["exact"] !== false;
    if (this.exact && !isAll) return this.reject(receiversUnknown(this.#topic));
    this.succeed(this.#resultOf({ receivers, exact: isAll }));
  }

  reject(error: unknown): void {
    discardStream(this.#content, error);
    this.fail(error);
  }
}

function receiversUnknown(topic: string): PubSubError {
  const message = "The broker is one of several, and knows only its own receivers";
  return new PubSubError("receivers-unknown", message, { topic });
}
