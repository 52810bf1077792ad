import type { Frame } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import type { Requester } from "../requester.ts";
import { streamsOf } from "./connection_streams.ts";
import { StreamError } from "./stream_error.ts";
import { storedFieldsRefusal } from "./stream_fields.ts";
import { streamRefusal } from "./stream_rights.ts";
import type { StreamStore } from "./stream_store.ts";

/** What is needed of the broker to have a publication kept. */
interface StoringBroker {
  readonly streams: StreamStore | undefined;
  /** Other brokers, where there may be some. */
  readonly shared: object | undefined;
  /** Sends what is in the outbox soon. */
  readonly flushSoon: () => void;
}

/** Why a publication that asks to be stored is not; `undefined` if it may be. */
export function storedRefusal(
  requester: Requester,
  store: StreamStore,
  frame: Frame,
  stream: string | undefined,
): Refusal | undefined {
  const refusal = storedFieldsRefusal(frame.header);
  if (refusal || frame.header["stored"] !== true) return refusal;
  if (stream === undefined) {
    const topic = quote(frame.header["topic"]);
    if (store.unseen === undefined) {
      return { code: "no-stream", message: `No stream keeps the topic ${topic}` };
    }
    const message = `Whether a stream keeps the topic ${topic} is not known: ${store.unseen}`;
    return { code: "unavailable", message };
  }
  return streamRefusal(requester.principal!, stream, "store");
}

/**
 * Has a publication kept. One that asks to be stored is answered after the commit, others at once.
 *
 * @param receivers How many subscribers it is on its way to.
 */
export function keepPublication(
  requester: Requester,
  { streams, shared, flushSoon: flush }: StoringBroker,
  stream: string,
  frame: Frame,
  receivers: number,
): void {
  const store = streams!;
  // How many other brokers have is not known.
  const exact = shared && false;
  const { id, stored } = frame.header as { id?: number; stored?: unknown };
  if (stored !== true) {
    store.append(stream, frame, requester.id);
    // Whether anybody elsewhere takes a request is not known: a stream takes everything.
    const isRequest = shared && typeof frame.header["reply-to"] === "string";
    const count = isRequest ? Math.max(1, receivers) : receivers;
    if (id !== undefined) requester.outbox.control("ok", { id, receivers: count, exact });
  } else {
    const connection = streamsOf(requester, store, flush);
    connection.confirming(1);
    store.append(stream, frame, requester.id, (outcome) => {
      if (outcome instanceof StreamError) {
        const { code, message } = outcome;
        requester.refuse({ code, message }, id);
      } else if (id !== undefined) {
        const { seq, duplicate } = outcome;
        if (duplicate || shared) {
          const fields = { id, stream, seq, duplicate: duplicate || undefined, receivers, exact };
          requester.outbox.control("ok", fields);
        } else requester.outbox.confirm(id, receivers, { stream, seq });
      }
      flush();
      connection.confirming(-1);
    });
  }
}
