import type { ActiveFault } from "./active_fault.ts";
import type { FaultAction, FaultKind } from "./fault.ts";

/** A fault of one kind that acts. */
export interface ActingFault<K extends FaultKind> {
  readonly active: ActiveFault;
  readonly action: Extract<FaultAction, { readonly kind: K }>;
}

/** The faults that act on the next bytes, by what they do: found out once, not for each read. */
export class Acting {
  /** What holds everything back. */
  readonly hole: ActiveFault | undefined;
  /** Those that act once, after the number of bytes that they name. */
  readonly striking: readonly ActiveFault[];
  readonly corrupting: readonly ActingFault<"corrupt">[];
  readonly slicing: ActingFault<"slice"> | undefined;
  readonly pacing: readonly ActingFault<"rate">[];
  readonly delaying: readonly ActingFault<"delay">[];
  readonly losing: readonly ActingFault<"loss">[];
  /** Those that do something to all bytes. */
  readonly lasting: readonly ActiveFault[];
  /** What all delays take together, without their jitter. */
  readonly delayMs: number;
  /** Whether each segment is delayed by itself. */
  readonly jitters: boolean;

  constructor(faults: readonly ActiveFault[]) {
    [this.hole] = faults.filter(({ fault }) => fault.action.kind === "blackhole");
    this.striking = faults.filter(({ fault }) => "afterBytes" in fault.action);
    this.corrupting = ofKind(faults, "corrupt");
    [this.slicing] = ofKind(faults, "slice");
    this.pacing = ofKind(faults, "rate");
    this.delaying = ofKind(faults, "delay");
    this.losing = ofKind(faults, "loss");
    this.lasting = faults.filter(({ fault }) => LASTING.has(fault.action.kind));
    this.delayMs = this.delaying.reduce((sum, { action }) => sum + action.delayMs, 0);
    this.jitters = this.delaying.some(({ action }) => action.jitterMs > 0);
  }
}

const LASTING: ReadonlySet<FaultKind> = new Set(["delay", "rate", "slice"]);

function ofKind<K extends FaultKind>(faults: readonly ActiveFault[], kind: K): ActingFault<K>[] {
  return faults.filter(({ fault }) => fault.action.kind === kind)
    .map((active) => ({ active, action: active.fault.action as ActingFault<K>["action"] }));
}
