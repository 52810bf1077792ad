/**
 * The thread that checks and repairs a store. It reads all of it, which may take minutes.
 *
 * @module
 */
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import type { PostedError } from "../../../../base/threads/error_codec.ts";
import { examineStore, type StreamStoreCheck } from "./examine.ts";
import { remainsOf } from "./remains.ts";
import { rescue } from "./rescue.ts";
import { ERRORS } from "./thread_errors.ts";

/** How far checking or repairing a store has come. */
export interface CareProgress {
  /** What is done: the pages of the file are checked, its messages are, or messages are copied. */
  readonly step: "pages" | "messages" | "copying";
  /** Messages so far, in this step. */
  readonly messages: number;
  /** How many messages the streams say that there are. */
  readonly of: number;
}

/** What the thread is told, once. */
export type CareOrder =
  | { readonly kind: "examine"; readonly path: string }
  /** @param readable Where a copy is made of a database that SQLite cannot read as it is. */
  | {
    readonly kind: "rescue";
    readonly path: string;
    readonly readable: string;
    readonly target: string;
  };

/** What it answers: what is wrong, or what is lost. */
export type CareAnswer<Kind extends CareOrder["kind"]> = Kind extends "examine" ? StreamStoreCheck
  : readonly string[];

/** What it tells. */
export type CareReport =
  | { readonly progress: CareProgress }
  | { readonly value: CareAnswer<CareOrder["kind"]> }
  | { readonly error: PostedError };

/** How often progress is told. */
const TELL_MS = 100;

const port = openThreadPort<CareOrder, CareReport>(ERRORS, (order) => {
  try {
    port.report({ value: carryOut(order, teller()) });
  } catch (error) {
    port.report({ error: ERRORS.encode(error as Error) });
  }
});

function carryOut(
  order: CareOrder,
  tell: (progress: CareProgress) => void,
): CareAnswer<CareOrder["kind"]> {
  const { path } = order;
  const remains = remainsOf(path);
  return order.kind === "examine"
    ? examineStore(path, remains, tell)
    : rescue(order, remains !== undefined, tell);
}

/** Tells how far an order has come: each step at once, and then now and again. */
function teller(): (progress: CareProgress) => void {
  let toldAt = -Infinity;
  let told: CareProgress["step"] | undefined;
  return (progress) => {
    const now = performance.now();
    if (progress.step === told && now - toldAt < TELL_MS) return;
    [told, toldAt] = [progress.step, now];
    port.report({ progress });
  };
}
