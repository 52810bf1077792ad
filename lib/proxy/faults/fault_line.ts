import { Alarm, AlarmClock } from "../../base/alarm_clock.ts";
import { Deque } from "../../base/deque.ts";
import type { Address } from "../../net/mod.ts";
import type { Direction } from "../../net/direction.ts";
import type { Passed } from "../flow_turns.ts";
import { Acting } from "./acting.ts";
import type { ActiveFault, FrameInfo } from "./active_fault.ts";
import { isOfFrames, selectsFrames } from "./fault.ts";
import type { FaultSet } from "./fault_set.ts";
import { FrameStage } from "./frame_stage.ts";
import { type Mark, markAt, type Piece, Shaping } from "./shaping.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** The most pieces that are made in one go. */
const PIECES_IN_A_ROW = 512;

/** After this many pieces, each written by itself, other connections have a turn. They take 0.5 ms. */
const PIECES_IN_A_TURN = 16;

/**
 * Who has passed fewer pieces than the first number without a pause has passed very little, and with fewer
 * than the second, little. Their messages go before those of those who send without end.
 */
const FEW_IN_A_ROW = 4;
const MANY_IN_A_ROW = 64;

/** Who has at least this many pieces waiting sends without end, however little it has passed. */
const MANY_WAITING = 256;

/** With a rate, bytes of a piece leave at these intervals at most, however often there is room. */
const PACE_MS = 5;

/** A reset waits this long for the bytes before it to be sent, and at most this long for their room. */
const RESET_AFTER_MS = 20;
const RESET_AT_LATEST_MS = 1_000;

/** Where the bytes of a {@linkcode FaultLine} go, and what it tells of. */
export interface LineExit {
  /** Bytes of the receiver that the system has not taken. */
  readonly pendingBytes: number;
  /** Writes; returns whether there is room for more. If not, `drained` is to be called. */
  write(bytes: Uint8Array): boolean;
  /** Writes. There is room for more only when the system has taken it. */
  writeAlone(bytes: Uint8Array): boolean;
  /**
   * Whether others have their turn first; then `goOn` is called.
   *
   * @param passed How much was written since there was nothing to write.
   */
  givesWay(goOn: () => void, passed: Passed): boolean;
  /** The direction has come to this. */
  reached(mark: Mark): void;
  /** Reads from the sender, or not. */
  read(isReading: boolean): void;
  /** The bytes are no frames, though a fault asks for them. */
  noFrames(): void;
  /** What waits has reached its bound: nothing more is read. */
  full(): void;
}

/** What has arrived and is not shaped: bytes, a mark, or what a fault did to a frame at this place. */
interface Entry {
  /** The bytes that are left. */
  bytes?: Uint8Array;
  readonly mark?: Mark;
  readonly frame?: FrameInfo | undefined;
  /** It is told when it is this one's turn: a fault that strikes before it ends the direction. */
  readonly fired?: { readonly active: ActiveFault; readonly offset: number };
  readonly at: number;
}

/** One for all directions of all connections: thousands of them wait at a time. */
const clock = new AlarmClock();

/**
 * One direction of a connection under faults: a queue in which bytes wait for their time, in their
 * order, and one alarm.
 */
export class FaultLine {
  readonly #set: FaultSet;
  readonly #connection: number;
  readonly #client: Address;
  readonly #direction: Direction;
  readonly #exit: LineExit;
  readonly #shaping: Shaping;
  /** What may concern this direction, whether or not it is its time. */
  #faults: readonly ActiveFault[] = [];
  /** Those of them that act on bytes of no frame, or on all frames alike. */
  #actingOnAll = new Acting([]);
  #areFramesSelected = false;
  #frames: FrameStage | undefined;
  readonly #entries = new Deque<Entry>();
  readonly #queue = new Deque<Piece>();
  readonly #waiting: WaitingRoom;
  /** Faults that act once, and have. */
  readonly #done = new Set<ActiveFault>();
  readonly #alarm = new Alarm(() => this.#advance());
  /** When the next bytes of a piece that is not due as a whole may leave. */
  #partAt = -Infinity;
  /** Whether others have their turn. */
  #isAwaiting = false;
  /** Pieces that were written by themselves since nothing was due, and that may still be in this turn. */
  #piecesInARow = 0;
  #piecesLeft = 0;
  #isBlocked = false;
  #isReading = true;
  /** Nothing that arrives is passed any more. */
  #isCut = false;
  #isOver = false;
  #toldFull = false;

  constructor(
    set: FaultSet,
    connection: number,
    client: Address,
    direction: Direction,
    offset: number,
    exit: LineExit,
  ) {
    this.#set = set;
    this.#connection = connection;
    this.#client = client;
    this.#direction = direction;
    this.#exit = exit;
    this.#shaping = new Shaping(set, connection, direction, offset);
    this.#waiting = new WaitingRoom(set.waiting);
  }

  /** When what waits may have left; in the past if nothing waits. */
  get lastDue(): number {
    return this.#entries.length > 0 ? Infinity : this.#shaping.lastDue;
  }

  /** How much it has passed since it had nothing to pass, if that is written in pieces by themselves. */
  get passed(): Passed {
    const { slicing } = this.#actingOnAll;
    if (slicing === undefined) return 2;
    if (this.#waiting.bytes >= MANY_WAITING * slicing.action.mostBytes) return 2;
    const pieces = this.#piecesInARow;
    return pieces < FEW_IN_A_ROW ? 0 : pieces < MANY_IN_A_ROW ? 1 : 2;
  }

  /** Looks which faults concern it: at the beginning, and when that has changed. */
  look(): void {
    if (this.#isOver) return;
    this.#faults = this.#set.of(this.#connection, this.#client, this.#direction);
    if (this.#frames === undefined && this.#faults.some((active) => active.needsFrames)) {
      this.#frames = new FrameStage(this.#shaping.offset, this.#set.waiting, {
        next: (bytes, frame) => this.#enter(bytes, frame),
        fired: (active, offset) => this.#entries.push({ fired: { active, offset }, at: 0 }),
        released: () => this.#advance(),
        noFrames: () => this.#exit.noFrames(),
      });
    }
    this.#areFramesSelected = this.#faults.some(({ fault }) => selectsFrames(fault.selectors));
    this.#actingOnAll = this.#actingOn(undefined);
    this.#waiting.limit(this.#faults);
    for (const active of this.#actingOnAll.striking) {
      if (this.#strikesAt(active) <= this.#shaping.offset) this.#strike(active);
    }
    this.#advance();
  }

  /** The next bytes of the sender. */
  received(bytes: Uint8Array): void {
    if (this.#isOver || this.#isCut) return;
    if (this.#frames) this.#frames.push(bytes, this.#frameFaults());
    else this.#enter(bytes, undefined);
    this.#advance();
    // Others may be due.
    clock.catchUp();
  }

  /** The sender has ended its stream, or has broken off. */
  ended(mark: "end" | "broken"): void {
    if (this.#isOver || this.#isCut && mark === "end") return;
    this.#frames?.end();
    this.#entries.push({ mark, at: performance.now() });
    this.#advance();
  }

  /** The receiver has room. */
  drained(): void {
    this.#isBlocked = false;
    this.#advance();
  }

  /** Passes nothing more. */
  stop(): void {
    this.#isOver = true;
    clock.clear(this.#alarm);
    this.#frames?.stop();
    this.#entries.clear();
    this.#queue.clear();
    this.#waiting.bytes = 0;
    this.#count();
  }

  #enter(bytes: Uint8Array, frame: FrameInfo | undefined): void {
    if (bytes.length === 0) return;
    this.#waiting.bytes += bytes.length;
    this.#entries.push({ bytes, frame, at: performance.now() });
  }

  /** Shapes what has arrived, passes what is due, and reads on if there is room. */
  #advance(): void {
    if (this.#isOver) return;
    const now = performance.now();
    const isHeld = this.#shape(now);
    this.#pump(now);
    if (this.#isOver) return;
    this.#count();
    // Pieces that have left made room for others.
    const isWaiting = isHeld || this.#isAwaiting || this.#isBlocked;
    if (!isWaiting && this.#entries.length > 0 && this.#mayMakePieces(now)) this.#wake(now);
    this.#look(isHeld);
  }

  #count(): void {
    this.#waiting.count(this.#entries.length + this.#queue.length);
  }

  #mayMakePieces(now: number): boolean {
    return this.#waiting.mayMakePieces(this.#queue.length, this.#shaping.lastDue > now);
  }

  /** @returns whether a blackhole holds what is next. */
  #shape(now: number): boolean {
    for (let pieces = 0; pieces < PIECES_IN_A_ROW; pieces++) {
      const entry = this.#entries.peek();
      if (entry === undefined || !this.#mayMakePieces(now)) return false;
      const { fired } = entry;
      if (fired) {
        this.#entries.shift();
        this.#fired(fired.active, fired.offset);
        continue;
      }
      const acting = this.#acting(entry.frame);
      const { hole } = acting;
      if (hole) {
        if (!this.#done.has(hole)) this.#fired(hole, this.#shaping.offset);
        this.#done.add(hole);
        return true;
      }
      if (entry.bytes === undefined) {
        this.#entries.shift();
        this.#queue.push(markAt(entry.mark!, this.#shaping.dueOf(acting, entry.at)));
      } else this.#shapeBytes(entry, entry.bytes, acting, now);
    }
    return false;
  }

  /** Shapes some of the bytes of an entry: up to where a fault strikes, if one does. */
  #shapeBytes(entry: Entry, bytes: Uint8Array, acting: Acting, now: number): void {
    const { offset } = this.#shaping;
    const striking = this.#firstOf(acting.striking);
    const room = striking ? this.#strikesAt(striking) - offset : Infinity;
    if (room > 0) {
      const next = room < bytes.length ? bytes.subarray(0, room) : bytes;
      const piece = this.#shaping.next(next, acting, entry.at, now);
      this.#queue.push(piece);
      const { length } = piece.bytes!;
      if (length < bytes.length) entry.bytes = bytes.subarray(length);
      else this.#entries.shift();
    }
    if (striking && this.#strikesAt(striking) <= this.#shaping.offset) this.#strike(striking);
  }

  /** The one that strikes first, of those that have not. */
  #firstOf(faults: readonly ActiveFault[]): ActiveFault | undefined {
    let first: ActiveFault | undefined;
    let firstAt = Infinity;
    for (const active of faults) {
      const at = this.#strikesAt(active);
      if (at >= firstAt) continue;
      first = active;
      firstAt = at;
    }
    return first;
  }

  /** The offset at which a fault that acts once does so. */
  #strikesAt(active: ActiveFault): number {
    const { action } = active.fault;
    if (!("afterBytes" in action) || this.#done.has(active)) return Infinity;
    return Math.max(action.afterBytes, this.#shaping.offset);
  }

  #strike(active: ActiveFault): void {
    const { action } = active.fault;
    if (this.#isCut) return;
    this.#done.add(active);
    this.#fired(active, this.#shaping.offset);
    const now = performance.now();
    if (action.kind === "stall") return this.#shaping.hold(action.stallMs, now);
    this.#isCut = true;
    for (const { bytes } of this.#entries) this.#waiting.bytes -= bytes?.length ?? 0;
    this.#entries.clear();
    this.#queue.push(markAt(action.kind as Mark, Math.max(this.#shaping.lastDue, now)));
  }

  /** Passes what is due. */
  #pump(now: number): void {
    for (;;) {
      if (this.#isAwaiting || this.#isBlocked || this.#isOver) return;
      const waiting = this.#queue.peek();
      if (waiting === undefined || waiting.dueAt > now) this.#piecesInARow = this.#piecesLeft = 0;
      if (waiting === undefined) return;
      if (waiting.bytes === undefined) {
        const mark = waiting.mark!;
        if (waiting.dueAt > now || !this.#reaches(waiting, mark, now)) {
          return this.#wake(waiting.dueAt);
        }
        this.#queue.shift();
        this.#exit.reached(mark);
        continue;
      }
      const { bytes, alone, beginsAt, bytesPerMs, heldUntil } = waiting;
      const isDue = waiting.dueAt <= now;
      // By a rate, some of the bytes may be due.
      const due = isDue
        ? bytes.length
        : bytesPerMs > 0 && !alone && Math.max(heldUntil, this.#partAt) <= now
        ? Math.max(waiting.left, Math.min(bytes.length, Math.floor((now - beginsAt) * bytesPerMs)))
        : waiting.left;
      if (due > waiting.left) {
        if (alone && !this.#mayPassAlone()) return;
        const isWhole = waiting.left === 0 && due === bytes.length;
        const part = isWhole ? bytes : bytes.subarray(waiting.left, due);
        waiting.left = due;
        this.#waiting.bytes -= part.length;
        if (isDue) this.#queue.shift();
        if (!isDue) this.#partAt = now + PACE_MS;
        if (!(alone ? this.#exit.writeAlone(part) : this.#exit.write(part))) this.#isBlocked = true;
      }
      if (!isDue) {
        const partAt = this.#partAt > now ? this.#partAt : now + PACE_MS;
        const next = bytesPerMs > 0 && !alone
          ? Math.max(partAt, beginsAt + (waiting.left + 1) / bytesPerMs, heldUntil)
          : waiting.dueAt;
        return this.#wake(Math.min(next, waiting.dueAt));
      }
    }
  }

  /** Counts a piece that is to be written by itself, if it need not wait until others have had their turn. */
  #mayPassAlone(): boolean {
    if (this.#piecesLeft === 0) {
      const { passed } = this;
      this.#piecesLeft = passed === 0 ? FEW_IN_A_ROW : PIECES_IN_A_TURN;
      this.#isAwaiting = this.#exit.givesWay(this.#goOn, passed);
      if (this.#isAwaiting) return false;
    }
    this.#piecesLeft--;
    this.#piecesInARow++;
    return true;
  }

  readonly #goOn = () => {
    this.#isAwaiting = false;
    this.#advance();
  };

  /** Whether a mark may act: a reset that follows bytes at once would overtake them. */
  #reaches(waiting: Piece, mark: Mark, now: number): boolean {
    if (mark !== "reset" && mark !== "broken") return true;
    const first = waiting.left === 0;
    if (first) waiting.left = now;
    const isTaken = this.#exit.pendingBytes === 0;
    if (!isTaken && now - waiting.left < RESET_AT_LATEST_MS) {
      waiting.dueAt = now + PACE_MS;
      return false;
    }
    if (first && this.#shaping.offset > 0) {
      waiting.dueAt = now + RESET_AFTER_MS;
      return false;
    }
    return true;
  }

  /** Has `#advance` called at this time, if that is not done before. */
  #wake(at: number): void {
    if (at < this.#alarm.at) clock.set(this.#alarm, at);
  }

  /** Reads on, or not. */
  #look(isHeld: boolean): void {
    const { isFull, isFullForGood, mayResume } = this.#waiting;
    if (isFullForGood && !this.#toldFull) {
      this.#toldFull = true;
      this.#exit.full();
    }
    const mayRead = this.#isCut ||
      !isHeld && !this.#isBlocked && (this.#isReading ? !isFull : mayResume);
    if (mayRead === this.#isReading) return;
    this.#isReading = mayRead;
    this.#exit.read(mayRead);
  }

  #acting(frame: FrameInfo | undefined): Acting {
    return frame && this.#areFramesSelected ? this.#actingOn(frame) : this.#actingOnAll;
  }

  #actingOn(frame: FrameInfo | undefined): Acting {
    const acts = (active: ActiveFault) => active.isOn && active.concernsFrame(frame);
    return new Acting(this.#faults.filter(acts));
  }

  #frameFaults(): readonly ActiveFault[] {
    return this.#faults.filter(({ fault }) => isOfFrames(fault.action));
  }

  #fired(active: ActiveFault, offset: number): void {
    this.#set.fired(active, this.#connection, this.#direction, offset);
  }
}
