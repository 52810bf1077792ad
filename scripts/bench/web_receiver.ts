/** One memory for all: what comes is counted, and looked at by nobody. */
const memory = new Uint8Array(262_144);

/**
 * A connection that costs its process as little as possible: it counts the bytes that come. Over a
 * WebSocket these are also the few bytes before each message.
 */
export class ByteReceiver {
  readonly #conn: Deno.Conn;
  readonly #isWebSocket: boolean;

  private constructor(conn: Deno.Conn, isWebSocket: boolean) {
    this.#conn = conn;
    this.#isWebSocket = isWebSocket;
  }

  static async open(port: number, isWebSocket: boolean): Promise<ByteReceiver> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const receiver = new ByteReceiver(conn, isWebSocket);
    if (!isWebSocket) return receiver;
    await receiver.#write(
      encode(
        `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ),
    );
    await receiver.#head();
    return receiver;
  }

  /** Sends up to 64 KiB: over a WebSocket as one message, masked by zeros. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.#isWebSocket) return await this.#write(bytes);
    const { length } = bytes;
    const head = [0x82, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0];
    await this.#write(new Uint8Array([...head, ...bytes]));
  }

  /** Waits until so many bytes have come. */
  async receive(count: number): Promise<void> {
    for (let come = 0; come < count;) come += await this.#read();
  }

  /** Asks for a path, over HTTP, and waits for the whole reply. */
  async ask(path: string): Promise<void> {
    await this.#write(encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    const { head, rest } = await this.#head();
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`${path}: ${head}`);
    await this.receive(Number(/^content-length: (\d+)/im.exec(head)![1]) - rest);
  }

  close(): void {
    this.#conn.close();
  }

  /** Reads the head of a reply, and tells how many bytes came behind it. */
  async #head(): Promise<{ head: string; rest: number }> {
    let text = "";
    const own = new Uint8Array(65_536);
    for (let end = -1; end < 0; end = text.indexOf("\r\n\r\n")) {
      text += new TextDecoder("latin1").decode(own.subarray(0, await this.#read(own)));
    }
    const end = text.indexOf("\r\n\r\n") + 4;
    return { head: text.slice(0, end), rest: text.length - end };
  }

  async #read(into = memory): Promise<number> {
    const count = await this.#conn.read(into);
    if (count === null) throw new Error("The server closed");
    return count;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
