import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import type { Frame } from "../../../../frame/mod.ts";
import type { OnStored } from "../stream_store.ts";
import { mostBatchBytes } from "./append_batch.ts";
import { errorOf } from "./order_failure.ts";
import type { AppendOrder, AppendOutcome, OrderFailure, OrderResult } from "./orders.ts";
import { addPublication, newPublicationList, type PublicationList } from "./publication_list.ts";

/** What a connection has waiting. */
export interface Account {
  /** Names the connection. */
  readonly owner: number;
  /** What waits, and what is being written. */
  cost: number;
  /** What of it waits behind others. */
  behind: number;
}

/** What counts for one connection. */
export interface Share {
  readonly account: Account;
  cost: number;
}

/** Publications to one stream that wait to be handed over. */
export class OpenAppend {
  readonly stream: string;
  readonly frames: ByteBuffer = new ByteBuffer(0);
  readonly publications: PublicationList = newPublicationList();
  readonly asked: number[] = [];
  readonly onStored: OnStored[] = [];
  /** What they count for, and whose that is: those of one connection often follow each other. */
  cost = 0;
  readonly shares: Share[] = [];
  /** Whether somebody waits to read them. */
  isAwaited = false;
  /** What each counts for beside its bytes. */
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

  /** What it takes in a batch of publications at most. */
  get batchBytes(): number {
    return mostBatchBytes(this.stream, this.publications.ends.length, this.frames.length);
  }

  /** Adds a publication of a connection. @returns what it counts for. */
  add({ header, bytes }: Frame, account: Account, onStored: OnStored | undefined): number {
    this.frames.append(bytes);
    addPublication(this.publications, header, this.frames.length);
    if (onStored) {
      this.asked.push(this.publications.ends.length - 1);
      this.onStored.push(onStored);
    }
    const cost = bytes.length + this.#eachCost;
    this.cost += cost;
    const last = this.shares.at(-1);
    if (last?.account === account) last.cost += cost;
    else this.shares.push({ account, cost });
    return cost;
  }

  /** Tells all who asked what became of theirs. */
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
