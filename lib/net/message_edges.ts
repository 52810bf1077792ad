/** The largest head of a frame: two bytes, a length of eight, a mask of four. */
const MAX_HEAD_BYTES = 14;

const FIN = 128;
const CONTROL = 8;
const CLOSE = 8;
const MASKED = 128;

/** What ends where in bytes that came. */
export interface Edges {
  /** Whether the last of them belong to a message, or to a control frame, that is not whole. */
  readonly isOpen: boolean;
  /** Whether somewhere in them everything was whole that had begun. */
  readonly hasEnd: boolean;
}

/**
 * Follows where the messages of a WebSocket end (RFC 6455, 5.2). What is wrong with them is for those
 * to find who read them; what comes behind a Close frame belongs to no message.
 */
export class MessageEdges {
  readonly #head = new Uint8Array(MAX_HEAD_BYTES);
  #headBytes = 0;
  /** What is still to come of the payload of the frame. */
  #payloadBytes = 0;
  /** Whether fragments of a message came, but not the last one. */
  #isFragmented = false;
  #isClosed = false;

  /** Goes through the bytes that come next. */
  follow(bytes: Uint8Array): Edges {
    let hasEnd = false;
    for (let at = 0; at < bytes.length && !this.#isClosed;) {
      if (this.#payloadBytes === 0) {
        this.#head[this.#headBytes++] = bytes[at++]!;
        if (this.#headBytes < headLength(this.#head, this.#headBytes)) continue;
        this.#payloadBytes = payloadLength(this.#head);
      }
      const count = Math.min(this.#payloadBytes, bytes.length - at);
      at += count;
      this.#payloadBytes -= count;
      if (this.#payloadBytes > 0) break;
      hasEnd = this.#frameEnds() || hasEnd;
    }
    return { isOpen: this.#headBytes > 0 || this.#isFragmented, hasEnd };
  }

  /** @returns Whether everything is whole that had begun. */
  #frameEnds(): boolean {
    const first = this.#head[0]!;
    this.#headBytes = 0;
    if ((first & CONTROL) === 0) this.#isFragmented = (first & FIN) === 0;
    else if ((first & 15) === CLOSE) {
      this.#isClosed = true;
      this.#isFragmented = false;
    }
    return !this.#isFragmented;
  }
}

/** The size of a frame's head, or of the part of it that the first `there` bytes call for. */
function headLength(head: Uint8Array, there: number): number {
  if (there < 2) return 2;
  const short = head[1]! & 127;
  const length = short === 126 ? 2 : short === 127 ? 8 : 0;
  return 2 + length + ((head[1]! & MASKED) === 0 ? 0 : 4);
}

function payloadLength(head: Uint8Array): number {
  const short = head[1]! & 127;
  const view = new DataView(head.buffer);
  if (short === 126) return view.getUint16(2);
  return short === 127 ? Number(view.getBigUint64(2)) : short;
}
