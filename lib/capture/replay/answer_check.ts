import { firstDifference } from "../../base/first_difference.ts";
import type { Frame } from "../../frame/mod.ts";
import { AnswerList } from "./answer_list.ts";
import { type AnswerDifference, compareFrames } from "./compare_frames.ts";

/** What differs on a connection. */
export interface ReplayDifference {
  /** The number of the connection in the recording. */
  readonly connection: number;
  /** Which answer, counted from 1; `undefined` for bytes that are no frames. */
  readonly answer: number | undefined;
  /** What differs. */
  readonly differences: readonly AnswerDifference[];
}

/** How answers are checked. */
export interface AnswerCheckOptions {
  readonly connection: number;
  /** What was recorded. */
  readonly recorded: AnswerList;
  /** Paths that may differ; `undefined` if nothing is compared. */
  readonly ignored: ReadonlySet<string> | undefined;
  readonly onDifference: (difference: ReplayDifference) => void;
}

/**
 * Counts what the other side sends, and compares it with what was recorded: answers to requests in
 * their order, frames of publish/subscribe in the order of those with the same `id` or topic.
 */
export class AnswerCheck {
  readonly #options: AnswerCheckOptions;
  readonly #came = new AnswerList(false);
  /** Recorded frames that have not come, by their key; each with its number. */
  readonly #waiting = new Map<string, { readonly frame: Frame; readonly number: number }[]>();
  /** Of bytes that are no frames: how many are as recorded, and where in the pieces that is. */
  #checkedBytes = 0;
  #piece = 0;
  #inPiece = 0;
  #bytesDiffer = false;

  /** Prepares the check of one connection. */
  constructor(options: AnswerCheckOptions) {
    this.#options = options;
    if (options.ignored === undefined) return;
    for (const [i, frame] of options.recorded.frames.entries()) {
      const key = keyOf(frame);
      const waiting = this.#waiting.get(key);
      if (waiting) waiting.push({ frame, number: i + 1 });
      else this.#waiting.set(key, [{ frame, number: i + 1 }]);
    }
    for (const waiting of this.#waiting.values()) waiting.reverse();
  }

  /** Takes what came; the bytes are kept. Resolves once that is compared, which others need not wait for. */
  async add(bytes: Uint8Array): Promise<void> {
    const frames = this.#came.add(bytes);
    if (this.#options.ignored === undefined) return;
    if (this.#options.recorded.isFrames) { for (const frame of frames) await this.#check(frame); }
    else this.#checkBytes(bytes);
  }

  /** Whether at least this many frames have come, or where they are not counted, bytes. */
  hasCome(frames: number, bytes: number): boolean {
    if (this.#options.recorded.isFrames && this.#came.isFrames) {
      return this.#came.frameCount >= frames;
    }
    return this.#came.byteCount >= bytes;
  }

  /** How many frames came; 0 if it is no stream of frames. */
  get frameCount(): number {
    return this.#came.isFrames ? this.#came.frameCount : 0;
  }

  /** How many bytes came. */
  get byteCount(): number {
    return this.#came.byteCount;
  }

  /** Tells what was recorded and did not come. Called once, at the end. */
  finish(): void {
    const { connection, recorded, ignored, onDifference } = this.#options;
    if (ignored === undefined) return;
    for (const { frame, number } of [...this.#waiting.values()].flat()) {
      const differences = [{ path: "answer", recorded: named(frame), came: undefined }];
      onDifference({ connection, answer: number, differences });
    }
    const missing = recorded.byteCount - this.#came.byteCount;
    if (recorded.isFrames || missing <= 0 || this.#bytesDiffer) return;
    const differences = [{ path: "bytes", recorded: `${missing} more`, came: undefined }];
    onDifference({ connection, answer: undefined, differences });
  }

  async #check(frame: Frame): Promise<void> {
    const { connection, ignored, onDifference } = this.#options;
    const found = this.#waiting.get(keyOf(frame))?.pop();
    if (!found) {
      const differences = [{ path: "answer", recorded: undefined, came: named(frame) }];
      return onDifference({ connection, answer: this.#came.frameCount, differences });
    }
    const differences = await compareFrames(found.frame, frame, ignored!);
    if (differences.length > 0) onDifference({ connection, answer: found.number, differences });
  }

  #checkBytes(bytes: Uint8Array): void {
    const { pieces } = this.#options.recorded;
    for (let at = 0; at < bytes.length && !this.#bytesDiffer;) {
      const piece = pieces[this.#piece];
      if (piece === undefined) return this.#differAt(undefined, bytes[at]);
      const expected = piece.subarray(this.#inPiece, this.#inPiece + bytes.length - at);
      const found = firstDifference(expected, bytes.subarray(at, at + expected.length));
      if (found >= 0) {
        this.#checkedBytes += found;
        return this.#differAt(expected[found], bytes[at + found]);
      }
      at += expected.length;
      this.#checkedBytes += expected.length;
      this.#inPiece += expected.length;
      if (this.#inPiece < piece.length) continue;
      this.#piece++;
      this.#inPiece = 0;
    }
  }

  /** Of bytes that are no frames the first difference is told. */
  #differAt(recorded: number | undefined, came: number | undefined): void {
    this.#bytesDiffer = true;
    const { connection, onDifference } = this.#options;
    const path = `byte ${this.#checkedBytes}`;
    const differences = [{ path, recorded: byteText(recorded), came: byteText(came) }];
    onDifference({ connection, answer: undefined, differences });
  }
}

/** Deliveries and answers of a broker may come in another order than they were recorded. */
function keyOf({ header }: Frame): string {
  const { op, id, topic } = header;
  if (op === undefined) return "";
  if (op === "pub") return `pub ${topic}`;
  return id === undefined ? String(op) : `answer ${id}`;
}

function named({ header }: Frame): string {
  return JSON.stringify(header["op"] ?? header["content-type"]);
}

function byteText(byte: number | undefined): string | undefined {
  return byte === undefined ? undefined : `0x${byte.toString(16).padStart(2, "0")}`;
}
