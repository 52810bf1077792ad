import type { Turns } from "../net/turns.ts";
import type { ReadBudget } from "./read_memory.ts";

/** What all sides of a proxy share. */
export interface Shared {
  /** Those in which clients are accepted, TLS begins, and ends of connections are dealt with. */
  readonly turns: Turns;
  /** For the memory that sides are read into. */
  readonly reads: ReadBudget;
}
