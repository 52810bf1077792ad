/** Brokers, and bare clients for them. */
import "../support/recycled_threads.ts";
import type { Frame, OutgoingFrame } from "../../lib/frame/mod.ts";
import { type Broker, type BrokerOptions, serveBroker } from "../../lib/pubsub/mod.ts";
import { listenLocally, RawClient } from "../support/peers.ts";

/** A broker on a free port. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  return serveBroker(await listenLocally(), options);
}

/** A frame with an op. */
export function op(
  name: string,
  fields: Record<string, unknown> = {},
  content?: string | Uint8Array,
): OutgoingFrame {
  return { header: { op: name, ...fields }, content };
}

/** A bare client that speaks ops. */
export class RawPeer extends RawClient {
  static async to(broker: Broker): Promise<RawPeer> {
    const { conn } = await RawClient.connect(broker.address);
    return new RawPeer(conn);
  }

  /** The next frame's header; fails when the broker closed. */
  async header(): Promise<Record<string, unknown>> {
    return (await this.frame()).header;
  }

  /** The next frame; fails when the broker closed. */
  async frame(): Promise<Frame> {
    const frame = await this.answer();
    if (!frame) throw new Error("the broker closed instead of answering");
    return frame;
  }

  /** Sends a request and returns its answer's header. */
  async ask(
    name: string,
    fields: Record<string, unknown> = {},
    content?: string | Uint8Array,
  ): Promise<Record<string, unknown>> {
    await this.send(op(name, fields, content));
    return await this.header();
  }

  /** Subscribes, confirmed. */
  async sub(topic: string, fields: Record<string, unknown> = {}): Promise<number> {
    const answer = await this.ask("sub", { topic, id: 1, ...fields });
    if (answer["op"] !== "ok") throw new Error(JSON.stringify(answer));
    return answer["retained"] as number;
  }

  /** Publishes, confirmed; how many received it. */
  async pub(topic: string, content = "", fields: Record<string, unknown> = {}): Promise<number> {
    const answer = await this.ask("pub", { topic, id: 2, ...fields }, content);
    if (answer["op"] !== "ok") throw new Error(JSON.stringify(answer));
    return answer["receivers"] as number;
  }
}
