import type { Frame } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import type { SharedBackplane } from "./backplane.ts";
import type { BrokerCore } from "./broker_core.ts";
import { confirmPublication } from "./confirmed_publication.ts";
import type { Requester } from "./requester.ts";
import { streamWork } from "./operations.ts";

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
