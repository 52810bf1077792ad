// Messages of a length, a JSON header and content: the frames of the rest of this tutorial.
// deno run docs/tutorial/05_message.ts

/** What a header says about the content, and whatever else a program puts there. */
export interface Header {
  "content-type": string;
  "content-encoding": string;
  "content-length": number;
  byteorder: "little" | "big";
  [field: string]: unknown;
}

export interface Message {
  header: Header;
  content: Uint8Array;
}

/** Two bytes with the length of the header, the header, and the content of which it tells. */
export function encode(fields: Record<string, unknown>, value: unknown): Uint8Array {
  const content = new TextEncoder().encode(JSON.stringify(value));
  const header = new TextEncoder().encode(JSON.stringify({
    byteorder: "little",
    "content-type": "text/json",
    "content-encoding": "utf-8",
    "content-length": content.length,
    ...fields,
  }));
  if (header.length > 65_535) throw new RangeError("two bytes cannot say such a length");
  const bytes = new Uint8Array(2 + header.length + content.length);
  new DataView(bytes.buffer).setUint16(0, header.length);
  bytes.set(header, 2);
  bytes.set(content, 2 + header.length);
  return bytes;
}

/** The messages of a connection. */
export class MessageStream {
  constructor(readonly conn: Pick<Deno.Conn, "read" | "write">, readonly maxContent = 1_048_576) {}

  /** @returns `null` if the peer has ended between two messages. */
  async read(): Promise<Message | null> {
    const length = await this.#take(2);
    if (length === null) return null;
    const headerBytes = await this.#take(new DataView(length.buffer).getUint16(0));
    const header = JSON.parse(decoder.decode(headerBytes ?? cutOff())) as Header;
    const size = header?.["content-length"];
    // Memory is taken for what a peer claims: first ask whether it may be.
    if (!Number.isSafeInteger(size) || size < 0 || size > this.maxContent) {
      throw new RangeError(`a content of ${size} bytes is not taken`);
    }
    return { header, content: await this.#take(size) ?? cutOff() };
  }

  async write(fields: Record<string, unknown>, value: unknown): Promise<void> {
    const bytes = encode(fields, value);
    for (let done = 0; done < bytes.length;) done += await this.conn.write(bytes.subarray(done));
  }

  /** Reads exactly `count` bytes. @returns `null` if the peer ends before the first of them. */
  async #take(count: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      const read = await this.conn.read(bytes.subarray(filled));
      if (read === null) return filled === 0 ? null : cutOff();
      filled += read;
    }
    return bytes;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function cutOff(): never {
  throw new Error("the peer ended in the middle of a message");
}

if (import.meta.main) {
  const bytes = encode({}, { action: "search", value: "ring" });
  console.log(`<${bytes[0]}><${bytes[1]}>${new TextDecoder().decode(bytes.subarray(2))}`);
}
