import type { Frame } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import type { SharedBackplane } from "./backplane.ts";
import type { BrokerCore } from "./broker_core.ts";
import { streamWork } from "./operations.ts";
import type { Requester } from "./requester.ts";

/**
 * Tells a publisher that the broker has its publication. Where there are other brokers it is only
 * known how many of its subscribers are here. Of a request that none of them takes it is found out
 * whether anybody does: the answer comes a little later then, and says 0 only if nobody does.
 *
 * @param receivers How many connections of this broker it is on its way to.
 */
export function confirmPublication(
  { outbox }: Requester,
  { shared, flushSoon, router }: BrokerCore,
  { header }: Frame,
  receivers: number,
): void {
  const { id } = header as { id?: number };
  if (shared === undefined) {
    if (receivers === 0 || header["ok-if"] !== "nobody") outbox.confirm(id!, receivers);
    return;
  }
  const replyTo = header["reply-to"];
  const isUnknown = receivers === 0 && typeof replyTo === "string" &&
    router.find(replyTo)?.subscriptions.length !== 0;
  if (!isUnknown) return outbox.control("ok", { id, receivers, exact: false });
  void shared.hasResponders(replyTo).then((some) => {
    outbox.control("ok", { id, receivers: some ? 1 : 0, exact: false });
    flushSoon();
  });
}

/**
 * Has all brokers keep a publication as its topic's last value, and publishes it after that: who
 * subscribes meanwhile gets it as the one or as the other.
 *
 * @param frame Is copied.
 * @param stream The stream that keeps it too, if one does.
 */
export async function publishRetained(
  requester: Requester,
  core: BrokerCore,
  shared: SharedBackplane,
  frame: Frame,
  stream: string | undefined,
): Promise<void> {
  const bytes = frame.bytes.slice();
  const { frames: [copy] } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
  const { topic, id } = copy!.header as unknown as { topic: string; id?: number };
  const refusal = await shared.retain(topic, copy!);
  if (refusal) return requester.refuse(refusal, id);
  const isCarried = stream !== undefined && core.streams!.carries === true;
  const receivers = await core.publishFrame(topic, () => bytes, requester.outbox, isCarried);
  if (stream !== undefined) {
    streamWork.module!.keepPublication(requester, core, stream, copy!, receivers);
  } else if (id !== undefined) confirmPublication(requester, core, copy!, receivers);
}
