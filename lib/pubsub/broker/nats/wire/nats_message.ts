const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();

/** The status by which a server says that nobody takes a request. */
export const NO_RESPONDERS = 503;

/**
 * A message that a NATS server has sent. A parser uses one object for all of them: its fields are valid
 * only during the call that it is passed to.
 */
export class NatsMessage {
  /** The number of the subscription that brought it. */
  sid = 0;
  subject = "";
  /** Where an answer is to go; empty if none is wanted. */
  reply = "";
  /** The memory that it lies in. */
  bytes: Uint8Array = NOTHING;
  /** Where it begins, with its line. */
  start = 0;
  /** Where its headers begin, and where they end and its data begins. The same if it has none. */
  headerStart = 0;
  dataStart = 0;
  /** Where its data ends. Its line's end stands behind it. */
  end = 0;
  /** Where the bytes end that have been received. */
  limit = 0;
  #view: DataView = new DataView(NOTHING.buffer);

  /** Whether it has headers, which may hold nothing but a status. */
  get hasHeaders(): boolean {
    return this.dataStart > this.headerStart;
  }

  /** The memory, to compare several bytes at a time. */
  get view(): DataView {
    const { bytes } = this;
    const view = this.#view;
    // A parser finds many messages in one memory, and making a view takes as long as reading one.
    if (view.buffer === bytes.buffer && view.byteOffset === bytes.byteOffset) return view;
    return this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The content: a view. */
  get data(): Uint8Array {
    return this.bytes.subarray(this.dataStart, this.end);
  }

  /** Moves on to a message behind it, over others of the same size that the caller has dealt with. */
  skip(messages: number): void {
    const bytes = messages * (this.end + 2 - this.start);
    this.start += bytes;
    this.headerStart += bytes;
    this.dataStart += bytes;
    this.end += bytes;
  }

  /** The code of a message that the server itself has made, as in `NATS/1.0 503`; 0 in others. */
  get status(): number {
    // Most messages have the line's end right behind the version.
    const at = this.headerStart + 8;
    if (!this.hasHeaders || this.bytes[at] === 0x0d) return 0;
    const line = decoder.decode(this.bytes.subarray(this.headerStart, this.dataStart));
    return Number(/^NATS\/\d\.\d +(\d{3})/.exec(line)?.[1] ?? 0);
  }

  /** The headers in their order; a name may occur more than once. */
  headers(): [name: string, value: string][] {
    return headersIn(this.bytes.subarray(this.headerStart, this.dataStart));
  }
}

/** The largest block of headers that is read. What is in a larger one fits into no frame's header. */
const MAX_BLOCK_BYTES = 131_072;

/** The most lines of a block that is read; more than any frame's header has members. */
export const MAX_HEADER_LINES = 1_024;

/** The headers in a block of them, in their order. Of one that is too large, none. */
export function headersIn(block: Uint8Array): [name: string, value: string][] {
  if (block.length > MAX_BLOCK_BYTES) return [];
  const lines = decoder.decode(block).split("\r\n", MAX_HEADER_LINES + 1);
  if (lines.length > MAX_HEADER_LINES) return [];
  const headers: [string, string][] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(":");
    if (colon > 0) headers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return headers;
}
