import { isIP } from "node:net";
import type { Address } from "../../net/mod.ts";
import type { FrameHeader } from "../../frame/mod.ts";
import type { Direction } from "../../net/direction.ts";
import { type Fault, type FaultRange, needsFrames, selectsFrames } from "./fault.ts";
import { headerMatches } from "./header_match.ts";
import { networkTest } from "./network.ts";
import { Pacer } from "./pacer.ts";
import { drawAt, DRAWS, keyed } from "./seeded.ts";

/** A frame of a stream: its header, and its number in that direction of the connection. */
export interface FrameInfo {
  readonly header: FrameHeader;
  readonly number: number;
}

/** A fault that is set on a proxy: whether it is its time, and what it has done. */
export class ActiveFault {
  readonly fault: Fault;
  /** Which of the faults of its kind it is. Two of a kind draw differently. */
  readonly ordinal: number;
  /** When it was set, in milliseconds. */
  readonly setAt: number;
  /** Whether it is the time for it. */
  isOn = false;
  /** How often it did something. */
  fired = 0;
  readonly needsFrames: boolean;
  readonly #selectsFrames: boolean;
  readonly #isInNetworks: ((address: string) => boolean) | undefined;
  readonly #shared = new Map<Direction, Pacer>();

  constructor(fault: Fault, ordinal: number, setAt: number) {
    this.fault = fault;
    this.ordinal = ordinal;
    this.setAt = setAt;
    this.needsFrames = needsFrames(fault);
    this.#selectsFrames = selectsFrames(fault.selectors);
    const { networks } = fault.selectors;
    this.#isInNetworks = networks && networkTest(networks);
  }

  /** Looks whether it is its time. @returns when that changes next, if it does. */
  look(now: number): number {
    const { afterMs = 0, forMs = Infinity } = this.fault.selectors;
    const from = this.setAt + afterMs;
    this.isOn = now >= from && now < from + forMs;
    return now < from ? from : now < from + forMs ? from + forMs : Infinity;
  }

  /** Whether it concerns a connection at all, at some time. */
  concerns(seed: number, connection: number, client: Address): boolean {
    const { connections, share } = this.fault.selectors;
    if (connections && !within(connections, connection)) return false;
    // The connections of 10 % are among those of 20 %, whatever the fault.
    if (share !== undefined && drawAt(keyed(seed, DRAWS.share), connection) >= share) return false;
    if (this.#isInNetworks === undefined) return true;
    return client.transport === "tcp" && isIP(client.hostname) !== 0 &&
      this.#isInNetworks(client.hostname);
  }

  /** Whether it concerns the bytes of a frame; `undefined` for bytes that are of none. */
  concernsFrame(frame: FrameInfo | undefined): boolean {
    if (!this.#selectsFrames) return true;
    if (frame === undefined) return false;
    const { fields, frames } = this.fault.selectors;
    if (frames && !within(frames, frame.number)) return false;
    return fields === undefined || headerMatches(frame.header, fields);
  }

  /** The rate that all connections share in a direction. */
  sharedPacer(direction: Direction, bytesPerSecond: number): Pacer {
    let pacer = this.#shared.get(direction);
    if (!pacer) this.#shared.set(direction, pacer = new Pacer(bytesPerSecond));
    return pacer;
  }
}

function within({ from, to }: FaultRange, number: number): boolean {
  return number >= from && number <= to;
}
