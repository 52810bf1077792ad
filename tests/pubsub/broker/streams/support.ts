import "../../../support/recycled_threads.ts";
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  HeaderCache,
  type HeaderInit,
} from "../../../../lib/frame/mod.ts";
import { concat } from "@std/bytes";
import type { AppendOrder } from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import {
  addPublication,
  newPublicationList,
} from "../../../../lib/pubsub/broker/streams/sqlite/publication_list.ts";
import { newStreamSettings } from "../../../../lib/pubsub/broker/streams/stream_settings.ts";
import { RUN_OP } from "../../../../lib/pubsub/protocol/run_frame.ts";
import type { MessageFrame } from "../../../../lib/pubsub/client/receiving/message.ts";
import { messagesOf } from "../../../../lib/pubsub/client/streams/run_message_frame.ts";
import type {
  StreamSettings,
  StreamStore,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";

/** Settings of a stream without limits. */
export const UNLIMITED: StreamSettings = newStreamSettings(["orders.>"]);

/** The frame of a publication that is to be stored. */
export function publication(topic: string, content: string, fields: HeaderInit = {}): Uint8Array {
  return encodeFrame({ header: { op: "pub", topic, stored: true, ...fields }, content });
}

/** Has publications appended to a stream; asks about each of them. */
export function appendOrder(stream: string, ...frames: readonly Uint8Array[]): AppendOrder {
  const bytes = concat(frames);
  const publications = newPublicationList();
  for (const { header, end } of framesIn(bytes)) addPublication(publications, header, end);
  return {
    kind: "append",
    stream,
    frames: bytes,
    publications,
    asked: frames.map((_, i) => i),
    awaited: false,
  };
}

/** One frame. */
export function frameOf(bytes: Uint8Array): Frame {
  return framesIn(bytes)[0]!;
}

/** One for all: to make a decoder one takes longer than to decode what most tests have. */
const headerCache = new HeaderCache(4_096);

/** The frames that lie one behind the other. */
export function framesIn(bytes: Uint8Array): readonly Frame[] {
  const { frames, consumed } = new FrameDecoder({ maxContentBytes: Infinity, headerCache })
    .decode(bytes);
  if (consumed !== bytes.length) throw new Error("There is a part of a frame at the end");
  return frames;
}

/** The messages in them: those of runs one by one. */
export function messagesIn(bytes: Uint8Array): MessageFrame[] {
  return framesIn(bytes).flatMap((frame): readonly MessageFrame[] =>
    frame.header["op"] === RUN_OP ? messagesOf(frame) : [frame]
  );
}

/** A store of which one method does something else. */
export function storeWith<Name extends "read" | "copy">(
  store: StreamStore,
  method: Name,
  replacement: NonNullable<StreamStore[Name]>,
): StreamStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === method) return replacement;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  });
}
