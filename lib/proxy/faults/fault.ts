import type { Direction } from "../../net/direction.ts";

/** What a fault does. Sizes and offsets are bytes of one direction, times are milliseconds. */
export type FaultAction =
  /** Everything takes this much longer, give or take the jitter. */
  | { readonly kind: "delay"; readonly delayMs: number; readonly jitterMs: number }
  /** Bytes pass at this rate: a connection's own, or one that all connections share. */
  | { readonly kind: "rate"; readonly bytesPerSecond: number; readonly shared: boolean }
  /** A share of the segments is lost, as TCP shows it: bytes come late, by the time of a repetition. */
  | { readonly kind: "loss"; readonly probability: number }
  /** Bytes are written in pieces of these sizes, with a pause between two. */
  | {
    readonly kind: "slice";
    readonly leastBytes: number;
    readonly mostBytes: number;
    readonly everyMs: number;
  }
  /** Once, nothing passes for a while. */
  | { readonly kind: "stall"; readonly stallMs: number; readonly afterBytes: number }
  /** Bytes are changed, each with this probability. */
  | { readonly kind: "corrupt"; readonly probability: number }
  /** Nothing passes while the fault lasts. */
  | { readonly kind: "blackhole" }
  /** Clients are reset when they come. */
  | { readonly kind: "refuse" }
  /**
   * Once `afterBytes` have passed, the connection is closed, this direction of it is ended, or both
   * sides are reset.
   */
  | { readonly kind: "close" | "half-close" | "reset"; readonly afterBytes: number }
  /** Frames are left out, sent twice, or exchanged with the next one. */
  | { readonly kind: "drop" | "duplicate" | "reorder" };

/** What a fault is called. */
export type FaultKind = FaultAction["kind"];

/** A range of whole numbers, both ends included. */
export interface FaultRange {
  /** The first. */
  readonly from: number;
  /** The last; `Infinity` where there is none. */
  readonly to: number;
}

/** Whom and when a fault concerns. What is absent selects everything. */
export interface FaultSelectors {
  /** Connections by their numbers: 1 is the first. */
  readonly connections?: FaultRange | undefined;
  /** This share of the connections, from 0 to 1. */
  readonly share?: number | undefined;
  /** Clients of one of these networks: an IP address and the bits of it that count. */
  readonly networks?: readonly { readonly address: string; readonly bits: number }[] | undefined;
  /** Frames whose header has all of these fields: names and patterns. */
  readonly fields?: readonly { readonly name: string; readonly pattern: string }[] | undefined;
  /** Frames of a direction by their numbers: 1 is a connection's first. */
  readonly frames?: FaultRange | undefined;
  /** From this time on after the fault was set. */
  readonly afterMs?: number | undefined;
  /** For this long. */
  readonly forMs?: number | undefined;
}

/** A fault, as {@linkcode parseFault} reads it. */
export interface Fault {
  /** How it is written. */
  readonly text: string;
  /** Which bytes it concerns. */
  readonly direction: Direction | "both";
  /** What it does. */
  readonly action: FaultAction;
  /** Whom it concerns, and when. */
  readonly selectors: FaultSelectors;
}

/** Whether it depends on frames which bytes it concerns. */
export function needsFrames({ action, selectors }: Fault): boolean {
  return isOfFrames(action) || selectsFrames(selectors);
}

/** Whether it does something to whole frames. */
export function isOfFrames({ kind }: FaultAction): boolean {
  return kind === "drop" || kind === "duplicate" || kind === "reorder";
}

/** Whether it concerns some frames and not others. */
export function selectsFrames({ fields, frames }: FaultSelectors): boolean {
  return fields !== undefined || frames !== undefined;
}
