import { checkKind } from "../../../base/option_kinds.ts";
import { countOption, numericOption } from "../../../base/numeric_options.ts";
import type { FrameHeader } from "../../../frame/mod.ts";
import type { ClientLimits } from "../client_options.ts";
import { ClientSubscription } from "../receiving/client_subscription.ts";
import type { PublishContent, PubSubMessage } from "../receiving/message.ts";
import type { PublishOptions } from "../publishing/publish_options.ts";
import type { TellError } from "../tell_error.ts";
import { noReceivers, type OpenRequest, type ReplyInbox, requestTimeout } from "./reply_inbox.ts";

/** How to publish and take several answers. The first of its limits that is reached ends it. */
export interface RequestManyOptions extends PublishOptions {
  /** How long replies are taken. @default {10_000} */
  readonly timeoutMs?: number | undefined;
  /** How many replies are taken. @default {Infinity} */
  readonly maxReplies?: number | undefined;
  /**
   * Whether a reply is the mark that no more come, such as an empty one. It is not handed out.
   *
   * @default {no reply is}
   */
  readonly isEnd?: ((reply: PubSubMessage) => boolean) | undefined;
}

/**
 * Publishes a request, and gives the replies until a limit of the options is reached.
 *
 * @throws {PubSubError} as `BrokerClient.requestMany` does, while it is iterated over.
 * @throws {TypeError | RangeError} at once, if an option is not what it has to be.
 */
export function requestMany(
  inbox: ReplyInbox,
  topic: string,
  content: PublishContent,
  { timeoutMs, maxReplies, isEnd, ...options }: RequestManyOptions,
  limits: ClientLimits,
  tellError: TellError,
): AsyncIterableIterator<PubSubMessage> {
  checkKind("isEnd", isEnd, "function");
  const max = numericOption("maxReplies", maxReplies, countOption(Infinity, 1));
  const bounds = { ...limits, max };
  const request = new ManyReplies(inbox, topic, requestTimeout(timeoutMs), bounds, tellError);
  inbox.send(request, content, options);
  return repliesOf(request, isEnd);
}

async function* repliesOf(
  request: ManyReplies,
  isEnd: RequestManyOptions["isEnd"],
): AsyncGenerator<PubSubMessage, undefined> {
  try {
    for await (const reply of request.replies) {
      if (isEnd?.(reply)) return;
      yield reply;
    }
  } finally {
    request.end();
  }
}

/** A request whose replies wait for the program, with the bounds of a subscription. */
class ManyReplies implements OpenRequest {
  readonly topic: string;
  readonly endsAt: number;
  number: number | undefined;
  isOver = false;
  readonly replies: ClientSubscription;
  readonly #inbox: ReplyInbox;

  constructor(
    inbox: ReplyInbox,
    topic: string,
    timeoutMs: number,
    limits: ClientLimits & { readonly max: number },
    tellError: TellError,
  ) {
    this.#inbox = inbox;
    this.topic = topic;
    this.endsAt = performance.now() + timeoutMs;
    this.replies = new ClientSubscription(topic, { slow: "disconnect" }, limits, {
      // Never the same read as before: each reply is kept by itself.
      read: { id: 0, bytes: 0 },
      fullChanged() {},
      collected() {},
      done() {},
      progressed() {},
      handled() {},
      unsubscribe: () => {
        this.end();
        return Promise.resolve();
      },
      tellError,
    });
    this.replies.confirmed = true;
  }

  /** The broker's answer. */
  resolve({ receivers }: FrameHeader): void {
    if (!(Number(receivers) > 0)) this.end(noReceivers(this.topic));
  }

  reject(error: unknown): void {
    this.end(error);
  }

  take(reply: PubSubMessage): void {
    this.replies.push(reply);
  }

  expired(): void {
    this.end();
  }

  end(failure?: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#inbox.over(this);
    this.replies.end(failure);
  }
}
