/** What comes back from a server under attack, and whether that is right. */
import { assert, assertEquals } from "@std/assert";
import { ChunkDecoder, type Frame } from "../../../lib/frame/mod.ts";
import type { Attack } from "./attack.ts";

const LARGEST_ANSWER_BYTES = 16_777_216;

/** Judges what one connection reads. */
export interface Judge {
  /** These bytes came. @throws if they are not right. */
  take(bytes: Uint8Array): void;
  /** Nothing more comes. @throws if something is missing. */
  end(): void;
}

/** What frames of a server mean. */
export interface FrameRules {
  /** Names the server. */
  readonly name: string;
  /** Whether a frame answers one that was sent, and is not a delivery or the like. */
  isAnswer(frame: Frame): boolean;
  /** Whether a frame says that the server ends the connection though nothing was wrong with it. */
  isFarewell(frame: Frame): boolean;
  /** Whether a frame tells of a mistake of the server's own. */
  isOwnFault(frame: Frame): boolean;
}

/** Frames come, and to a stream of valid ones as many answers. */
export class FrameJudge implements Judge {
  readonly #attack: Attack;
  readonly #rules: FrameRules;
  readonly #decoder = new ChunkDecoder({ maxContentBytes: LARGEST_ANSWER_BYTES });
  /** `undefined` if the server ended the connection early. */
  #answers: number | undefined = 0;

  constructor(attack: Attack, rules: FrameRules) {
    this.#attack = attack;
    this.#rules = rules;
  }

  take(bytes: Uint8Array): void {
    const { isAnswer, isFarewell, isOwnFault, name } = this.#rules;
    const { frames, error } = this.#decoder.push(bytes);
    for (const frame of frames) {
      if (isOwnFault(frame)) {
        const said = new TextDecoder().decode(frame.content.subarray(0, 300));
        throw new Error(`${name} tells of a mistake of its own: ${said}`);
      }
      if (isFarewell(frame)) this.#answers = undefined;
      if (isAnswer(frame) && this.#answers !== undefined) this.#answers++;
    }
    assert(error === undefined, `${name} sends what is no frame: ${error}`);
  }

  end(): void {
    const { validFrames } = this.#attack;
    if (this.#answers === undefined || validFrames === undefined) return;
    assertEquals(this.#answers, validFrames, "answers to a stream of valid frames");
  }
}

/** The bytes that were sent come back, all of them and no others. */
export class EchoJudge implements Judge {
  readonly #pieces: readonly Uint8Array[];
  #piece = 0;
  #at = 0;

  constructor({ pieces }: Attack) {
    this.#pieces = pieces.filter(({ length }) => length > 0);
  }

  take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const piece = this.#pieces[this.#piece];
      assert(piece !== undefined, "more came back than was sent");
      if (piece[this.#at] !== byte) {
        throw new Error(`byte ${this.#at} of piece ${this.#piece} differs`);
      }
      if (++this.#at < piece.length) continue;
      this.#at = 0;
      this.#piece++;
    }
  }

  end(): void {
    assertEquals(this.#piece, this.#pieces.length, "pieces that came back whole");
  }
}
