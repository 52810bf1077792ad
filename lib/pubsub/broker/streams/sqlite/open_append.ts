import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import type { Frame } from "../../../../frame/mod.ts";
import type { OnStored } from "../stream_store.ts";
import { errorOf } from "./order_failure.ts";
import type { AppendOrder, AppendOutcome, OrderFailure, OrderResult } from "./orders.ts";
import { addPublication, newPublicationList, type PublicationList } from "./publication_list.ts";

/** Publications to one stream that wait to be handed over. */
export class OpenAppend {
  readonly stream: string;
  readonly frames: ByteBuffer = new ByteBuffer(0);
  readonly publications: PublicationList = newPublicationList();
  readonly asked: number[] = [];
  readonly onStored: OnStored[] = [];
  /** How many bytes they count for. */
  cost = 0;
  /** Whether somebody waits to read them. */
  isAwaited = false;
  /** What each counts for on top of its bytes. */
  readonly #eachCost: number;

  constructor(stream: string, memory: ArrayBuffer, eachCost: number) {
    this.stream = stream;
    this.#eachCost = eachCost;
    this.frames.bytes = new Uint8Array(memory);
  }

  get order(): AppendOrder {
    const { stream, publications, asked, isAwaited: awaited } = this;
    return { kind: "append", stream, frames: this.frames.view(), publications, asked, awaited };
  }

  /** Adds a publication. @returns how many bytes it counts for. */
  add({ header, bytes }: Frame): number {
    this.frames.append(bytes);
    addPublication(this.publications, header, this.frames.length);
    const cost = bytes.length + this.#eachCost;
    this.cost += cost;
    return cost;
  }

  settle(result: OrderResult): void {
    const outcomes = "value" in result ? result.value as readonly AppendOutcome[] : undefined;
    this.onStored.forEach((onStored, i) => {
      const outcome = outcomes?.[i];
      if (typeof outcome === "number") {
        onStored({ seq: Math.abs(outcome), duplicate: outcome < 0 });
      } else onStored(errorOf(outcome ?? (result as { failure: OrderFailure }).failure));
    });
  }
}
