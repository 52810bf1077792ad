/** What the cases of a contract are made of. */
import { assertEquals } from "@std/assert";
import type { Frame } from "../../../../lib/frame/mod.ts";
import type { Broker, BrokerOptions } from "../../../../lib/pubsub/mod.ts";
import { op, RawPeer } from "../../support.ts";

/** A frame's header, or the fields of one. */
export type Header = Record<string, unknown>;

/** Where streams are kept. */
export interface StreamsPlace {
  /** Serves a broker with what is kept there for as long as `use` takes. */
  withBroker(use: (broker: Broker) => Promise<void>, options?: BrokerOptions): Promise<void>;
}

/** Something that clients may rely on. */
export interface ContractCase {
  readonly name: string;
  run(place: StreamsPlace): Promise<void>;
}

/** A case with a broker that keeps `orders.>` in the stream `orders`. */
export function streamCase(
  name: string,
  use: (broker: Broker, peer: RawPeer) => Promise<void>,
  fields: Header = {},
): ContractCase {
  const run = (place: StreamsPlace) =>
    place.withBroker(async (broker) => {
      using peer = await RawPeer.to(broker);
      const orders = { do: "create", name: "orders", topics: ["orders.>"], id: 1, ...fields };
      ok(await peer.ask("stream", orders));
      await use(broker, peer);
    });
  return { name, run };
}

/** Asserts that an answer is no error. */
export function ok(answer: Header): Header {
  assertEquals(answer["op"], "ok", JSON.stringify(answer));
  return answer;
}

/** Has a publication stored, and gives the answer. */
export async function store(peer: RawPeer, topic: string, content: string, fields: Header = {}) {
  return ok(await peer.ask("pub", { topic, stored: true, id: 3, ...fields }, content));
}

/** The next frames' contents. */
export async function texts(peer: RawPeer, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push((await peer.frame()).text());
  return all;
}

/** A consumer of that stream. */
export const ON = { stream: "orders", consumer: "c" };

/** Settles a delivery, confirmed. Deliveries that come before the answer are returned. */
export async function settle(
  peer: RawPeer,
  kind: string,
  { header }: Frame,
  fields: Header = {},
): Promise<{ answer: Header; frames: Frame[] }> {
  await peer.send(op(kind, { ...ON, deliveries: [header["delivery"]], id: 77, ...fields }));
  const frames: Frame[] = [];
  for (let frame = await peer.frame();; frame = await peer.frame()) {
    if (frame.header["id"] === 77) return { answer: frame.header as Header, frames };
    frames.push(frame);
  }
}

/** What a stream says of itself. */
export async function figuresOf(peer: RawPeer, name = "orders"): Promise<Header> {
  return ok(await peer.ask("stream", { do: "info", name, id: 6 }));
}
